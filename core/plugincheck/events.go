package plugincheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// sampleTitle is that of the check's events.
const sampleTitle = "The Long Reel (2024)"

// sampleEvent is an import as Hookarr tells of it, with a field that no version knows.
func sampleEvent() map[string]any {
	return map[string]any{
		"id": "01980000-0000-7000-8000-000000000001", "source": "radarr-4k", "origin": "webhook", "time": "2026-11-23T10:00:00Z",
		"app": "radarr", "app_version": "6.0.3.10276", "instance": "Radarr 4K", "type": string(sdk.TypeMediaImported), "native_type": "Download",
		"title": sampleTitle, "summary": "The Long Reel (2024) was imported", "url": "https://radarr.example/movie/1",
		"fingerprint": "check-1", "correlation_key": "download:ABCD1234",
		"media": map[string]any{
			"kind": "movie", "id": "1", "title": "The Long Reel", "year": 2024, "ids": map[string]string{"tmdb": "1", "imdb": "tt0000001"},
			"path": "/movies/The Long Reel (2024)", "overview": "A film about a film.", "genres": []string{"Drama"},
		},
		"files": []any{map[string]any{
			"id": "7", "path": "/movies/The Long Reel (2024)/reel.mkv", "relative_path": "reel.mkv", "size_bytes": int64(42 << 30), "quality": "Bluray-2160p",
		}},
		"release":          map[string]any{"title": "The.Long.Reel.2024.2160p-EXAMPLE", "group": "EXAMPLE", "quality": "Bluray-2160p"},
		"a_field_of_later": map[string]any{"known": false},
	}
}

// delivery is an attempt to deliver events.
func delivery(n int, events ...map[string]any) host.Delivery {
	d := host.Delivery{ID: fmt.Sprintf("01980000-0000-7000-8000-%012d", n), Attempt: 1, Route: "everything", CorrelationKey: "download:ABCD1234"}
	for _, e := range events {
		data, _ := json.Marshal(e) // its own maps always marshal
		d.Events = append(d.Events, data)
	}
	return d
}

// extreme is an event that a target has to take in some way.
type extreme struct {
	what  string
	event map[string]any
}

func extremes() []extreme {
	texts := []struct{ what, text string }{
		{"a text of 1 MiB", strings.Repeat("a long text ", 1<<20/12)},
		{"emoji", strings.Repeat("👩‍👩‍👧‍👦", 2000)},
		{"text from right to left", strings.Repeat("فيلم طويل جدا ", 800)},
		{"combining characters", "e" + strings.Repeat("\u0301", 5000)},
		{"markup", strings.Repeat("*_`~|<@everyone>&\"'\\[](){}#-\r\n\t", 300)},
		{"control characters", "a\x00\x01\x1b[31m\u202e\ufeffb"},
		{"a blank title", " . "},
	}
	all := make([]extreme, 0, len(texts)+1)
	for _, t := range texts {
		e := sampleEvent()
		e["title"], e["summary"], e["instance"] = t.text, t.text, t.text
		media, _ := e["media"].(map[string]any)
		media = maps.Clone(media)
		media["title"], media["overview"], media["path"] = t.text, t.text, t.text
		e["media"] = media
		all = append(all, extreme{t.what, e})
	}
	return append(all, extreme{"an event of a type that is not known yet", map[string]any{
		"id": "1", "source": "s", "type": "some.later.type", "title": "t", "time": time.Unix(0, 0).UTC().Format(time.RFC3339), "later": []any{1},
	}})
}
