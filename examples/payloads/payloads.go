// Package payloads holds sample webhooks, as the applications send them. The films
// are real and free; the libraries, people and ids are made up.
package payloads

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed radarr/*.json
var radarr embed.FS

// Sample is the body of one webhook.
type Sample struct {
	// Name is grab for radarr/grab.json.
	Name string
	Body []byte
}

// Radarr returns one sample for every event of Radarr's, by name.
func Radarr() ([]Sample, error) {
	names, err := fs.Glob(radarr, "radarr/*.json")
	if err != nil {
		return nil, fmt.Errorf("list samples: %w", err)
	}
	samples := make([]Sample, 0, len(names))
	for _, name := range names {
		body, err := radarr.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read sample: %w", err)
		}
		samples = append(samples, Sample{Name: strings.TrimSuffix(path.Base(name), ".json"), Body: body})
	}
	return samples, nil
}
