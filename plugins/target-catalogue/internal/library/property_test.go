package library_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/library"
	"github.com/hookarr/hookarr/plugins/target-catalogue/internal/model"
)

// What is held is what the applications have, in whatever order their events come.
func TestHoldsWhatApplicationsHave(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			world := model.NewWorld(seed)
			events := world.Events(300)
			for _, window := range []int{1, 12, len(events)} {
				shelves := map[string]*library.Memory{}
				for _, d := range model.Deliveries(events, seed, window) {
					for _, e := range d.Events {
						if shelves[e.Source] == nil {
							shelves[e.Source] = &library.Memory{}
						}
						_, err := library.Apply(t.Context(), shelves[e.Source], e)
						require.NoError(t, err)
					}
				}
				require.Empty(t, model.Difference(world.Holdings(), holdings(t, shelves)), "window %d", window)
			}
		})
	}
}

func holdings(t *testing.T, shelves map[string]*library.Memory) []string {
	t.Helper()
	var lines []string
	for source, written := range shelves {
		// As it is after it was written and read.
		data, err := json.Marshal(written)
		require.NoError(t, err)
		m := &library.Memory{}
		require.NoError(t, json.Unmarshal(data, m))
		for _, r := range m.Titles() {
			if r.Held {
				f := r.Fields
				lines = append(lines, model.Title{
					Source: source, Kind: r.Kind, ID: r.ID, Name: f.Text("title"), Path: f.Text("path"), Overview: f.Text("overview"),
					Poster: f.Text("poster"), Profile: f.Text("quality_profile"), Year: library.Decoded[int](f.Raw("year")),
					Monitored: library.Decoded[bool](f.Raw("monitored")), Tags: library.Decoded[[]string](f.Raw("tags")), IDs: r.IDs(),
				}.Line())
			}
		}
		for _, r := range m.Parts() {
			if r.Held {
				lines = append(lines, model.Part{Source: source, Kind: r.Kind, ID: r.ID, Title: r.Title.ID, Name: r.Fields.Text("title")}.Line())
			}
		}
		for _, r := range m.Files() {
			if r.Held {
				var parts []string
				for _, p := range r.Parts() {
					parts = append(parts, p.Kind+"/"+p.ID)
				}
				lines = append(lines, model.File{
					Source: source, ID: r.ID, TitleKind: r.Title().Kind, TitleID: r.Title().ID, Path: r.Path, Quality: r.Fields.Text("quality"),
					Edition: r.Fields.Text("edition"),
					Size:    library.Decoded[int64](r.Fields.Raw("size_bytes")), Parts: parts,
				}.Line())
			}
		}
	}
	slices.Sort(lines)
	return lines
}
