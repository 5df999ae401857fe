// Package payloads holds sample webhooks, as the applications send them. The titles are
// real; the libraries, people and ids are made up. Those of generic are of Jellyseerr,
// which docs/webhooks.md configures.
package payloads

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed */*.json
var files embed.FS

// Sample is the body of one webhook.
type Sample struct {
	// Name is grab for radarr/grab.json.
	Name string
	Body []byte
}

// Of returns one sample for every event of a source plugin's application, by name: none
// for a plugin that there are no samples for.
func Of(plugin string) ([]Sample, error) {
	names, err := fs.Glob(files, path.Join(plugin, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list samples: %w", err)
	}
	samples := make([]Sample, 0, len(names))
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read sample: %w", err)
		}
		samples = append(samples, Sample{Name: strings.TrimSuffix(path.Base(name), ".json"), Body: body})
	}
	return samples, nil
}
