package mediaserver

import (
	"context"
	"fmt"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// Options returns the names of all libraries, each with its kind and its folders. The key
// is libraries: no other has options.
func (t *Target) Options(ctx context.Context, _ string) ([]sdk.Option, error) {
	libs, err := t.server.Libraries(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the libraries of %s: %w", t.options.Name, err)
	}
	all := make([]sdk.Option, 0, len(libs))
	for _, l := range libs {
		if l.Name == "" {
			continue // it cannot be chosen
		}
		all = append(all, sdk.Option{Value: l.Name, Label: describe(l)})
	}
	return all, nil
}

// describe says what a library holds and where, as far as its name does not.
func describe(l Library) string {
	var parts []string
	if len(l.Kinds) > 0 {
		parts = append(parts, l.Kinds[0])
	}
	if folders := strings.Join(l.Roots, ", "); folders != "" && folders != l.Name {
		parts = append(parts, folders)
	}
	return strings.Join(parts, " in ")
}
