// Command oddplugin is a target plugin whose schema is as its file is called: bad, of keys
// that are hard to write down, or with a key only where it can list the root directory.
package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/hookarr/hookarr/sdk"
)

type config struct {
	Key string `json:"key" doc:"A key."`
}

func name() string { return strings.TrimPrefix(filepath.Base(os.Args[0]), "hookarr-target-") }

// JSONSchemaExtend spoils the schema.
func (config) JSONSchemaExtend(s *jsonschema.Schema) {
	switch name() {
	case "text":
		s.Type = "string"
	case "large":
		s.Description = strings.Repeat("x", 5<<20)
	case "lines":
		s.Properties.Set("a\nb", &jsonschema.Schema{Type: "string"})
	case "free":
		if _, err := os.ReadDir("/"); err == nil {
			s.Properties.Set("lists_root", &jsonschema.Schema{Type: "string"})
		}
	case "markup":
		s.Properties.Set("a|`b`", &jsonschema.Schema{Type: "string", Description: "| <b>\n# not a heading"})
	}
}

func main() {
	sdk.ServeTarget(sdk.Info{Name: name(), Version: "1.0.0", Summary: "Says odd things."}, newTarget)
}

func newTarget(context.Context, sdk.Env, config) (sdk.Target, error) {
	return sdk.TargetFunc(func(context.Context, sdk.Delivery) (sdk.Receipt, error) { return sdk.Receipt{}, nil }), nil
}
