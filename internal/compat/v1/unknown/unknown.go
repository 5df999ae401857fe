// Package unknown makes messages of a later version: with fields that nobody knows yet.
package unknown

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// number is of fields that this contract never has.
const number = 5000

// Add adds fields of each wire type to a message and to all that are in it.
func Add(m proto.Message) { add(m.ProtoReflect()) }

func add(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				add(value.List().Get(i).Message())
			}
		default:
			add(value.Message())
		}
		return true
	})
	raw := m.GetUnknown()
	raw = protowire.AppendVarint(protowire.AppendTag(raw, number, protowire.VarintType), 7)
	raw = protowire.AppendString(protowire.AppendTag(raw, number+1, protowire.BytesType), "of a later version")
	raw = protowire.AppendFixed64(protowire.AppendTag(raw, number+2, protowire.Fixed64Type), 7)
	m.SetUnknown(raw)
}
