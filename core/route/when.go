package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/sdk"
)

// Bounds of an expression: nodes of its syntax tree, and values that it may make
// while it runs. A rule of a person's hand needs a few dozen of each.
const (
	maxNodes     = 500
	memoryBudget = 10_000
)

// condition is a compiled expression over an event.
type condition struct {
	program *vm.Program
}

// facts is what expressions see of an event. It is read once, when the first
// expression asks.
type facts struct {
	env        reflect.Type
	normalized []byte
	read       bool
	value      any // nil when the event cannot be read
	brief      *parts
	left       budget
}

func compile(source string, env reflect.Type) (*condition, error) {
	program, err := expr.Compile(source,
		expr.Env(zero(env)),
		expr.AsBool(),
		expr.MaxNodes(maxNodes),
		// The same event is matched the same way when it is decoded later.
		expr.DisableBuiltin("now"),
		expr.Patch(stepper{}),
	)
	if err != nil {
		return nil, explain(err)
	}
	return &condition{program: program}, nil
}

// errUnread is found when the event is not of the published schema.
var errUnread = errors.New("the event cannot be read")

// holds returns errBudget for a condition that takes too long to tell.
func (c *condition) holds(f *facts) (bool, error) {
	holds, err := c.evaluate(f)
	if errors.Is(err, errBudget) {
		return false, errBudget
	}
	return err == nil && holds, nil
}

// evaluate returns an error for an expression that speaks of what the event does not have,
// too.
func (c *condition) evaluate(f *facts) (bool, error) {
	env := f.load()
	if env == nil {
		return false, errUnread
	}
	f.left = newBudget()
	machine := vm.VM{MemoryBudget: memoryBudget}
	result, err := machine.Run(c.program, env)
	switch {
	case errors.Is(err, errBudget):
		return false, errBudget
	case err != nil:
		return false, explain(err)
	}
	holds, ok := result.(bool)
	return ok && holds, nil
}

func (f *facts) load() any {
	if !f.read {
		f.read = true
		env := reflect.New(f.env).Elem()
		if json.Unmarshal(f.normalized, env.Field(0).Addr().Interface()) == nil {
			env.Field(1).Set(reflect.ValueOf(f.left.step))
			f.value = env.Interface()
		}
	}
	return f.value
}

// zero is a value of what expressions see, for the compiler.
func zero(env reflect.Type) any { return reflect.Zero(env).Interface() }

// environment is the type of what an expression sees: struct{event sdk.Event} with
// the names of the published schema, and what counts its steps.
func environment() reflect.Type {
	return reflect.StructOf([]reflect.StructField{
		{Name: "Event", Type: published(reflect.TypeFor[sdk.Event]()), Tag: `expr:"event"`},
		{Name: "Step", Type: reflect.TypeFor[func() bool](), Tag: `json:"-" expr:"` + stepName + `"`},
	})
}

// published returns the type that has the fields of t under their JSON names, with
// plain strings for named ones so that they compare with literals.
func published(t reflect.Type) reflect.Type {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return t
	case t.Kind() == reflect.String:
		return reflect.TypeFor[string]()
	case t.Kind() == reflect.Pointer:
		return reflect.PointerTo(published(t.Elem()))
	case t.Kind() == reflect.Slice:
		return reflect.SliceOf(published(t.Elem()))
	case t.Kind() == reflect.Struct:
		fields := make([]reflect.StructField, 0, t.NumField())
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields = append(fields, reflect.StructField{
				Name: f.Name,
				Type: published(f.Type),
				Tag:  reflect.StructTag(fmt.Sprintf(`json:%q expr:%q`, name, name)),
			})
		}
		return reflect.StructOf(fields)
	default:
		return t
	}
}

var noField = regexp.MustCompile(`has no field (\w+)$`)

// explain puts an error of the compiler into one line, without Go's types.
func explain(err error) error {
	return explainAs(err, "write a condition such as event.media.year >= 2000")
}

// explainAs is explain with what to write instead of an expression that is no value of the
// kind that is asked for.
func explainAs(err error, instead string) error {
	at, ok := errors.AsType[*file.Error](err)
	if !ok { // no place: the whole is not of the type that AsBool asks for
		return fmt.Errorf("%w: %s", err, instead)
	}
	message := at.Message
	if m := noField.FindStringSubmatch(message); m != nil {
		message = fmt.Sprintf("an event has no field %q here%s", m[1], config.Suggest(m[1], fieldNames(reflect.TypeFor[sdk.Event]())))
	}
	message = strings.NewReplacer(
		"unexpected token EOF", "it ends too early",
		`unexpected token Operator("=")`, "write == to compare",
	).Replace(message)
	if at.Line == 1 { // as most have no other, and the file has lines too
		return fmt.Errorf("column %d: %s", at.Column+1, message)
	}
	return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column+1, message)
}

// fieldNames returns every JSON name that occurs in t.
func fieldNames(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return fieldNames(t.Elem())
	case reflect.Struct:
		var names []string
		for f := range t.Fields() {
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(append(names, name), fieldNames(f.Type)...)
		}
		return names
	default:
		return nil
	}
}
