package plugintest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk"
)

func checkExtremes(t *testing.T, target *Target, e *endpoint) {
	t.Helper()
	texts := map[string]string{
		"1 MiB":            strings.Repeat("a", 1<<20),
		"emoji":            strings.Repeat("👩‍👩‍👧‍👦", 2000),
		"right to left":    strings.Repeat("فيلم طويل جدا ", 800),
		"combining":        "e" + strings.Repeat("\u0301", 5000),
		"markup":           strings.Repeat("*_`~|<@everyone>&\"'\\[](){}#-\r\n\t", 300),
		"control":          "a\x00\x01\x1b[31m\u202e\ufeffb",
		"one":              "a",
		"space and a dot":  " . ",
		"2000 characters":  strings.Repeat("é", 2000),
		"2001 characters":  strings.Repeat("é", 2001),
		"3001 characters":  strings.Repeat("é", 3001),
		"40000 characters": strings.Repeat("é", 40001),
	}
	for name, text := range texts {
		for _, typ := range []sdk.Type{sdk.TypeMediaUpgraded, sdk.TypeManualInteractionRequired, sdk.TypeHealthIssue} {
			o := deliver(t, target, Delivery(t, deliveryID(0), extreme(EventOf(typ), text)))
			if !e.suite.Asks || o.Class != sdk.ClassPermanent {
				require.Equal(t, sdk.ClassOK, o.Class, "%s in %s: %s %v", name, typ, o.Message, e.refusals())
			}
		}
	}
	many := EventOf(sdk.TypeMediaImported)
	for i := range 1000 {
		many.Files = append(many.Files, sdk.File{ID: strconv.Itoa(i), RelativePath: fmt.Sprintf("S01E%03d.mkv", i)})
		many.Episodes = append(many.Episodes, sdk.Episode{Season: 1, Number: new(i), Title: "Episode " + strconv.Itoa(i)})
	}
	o := deliver(t, target, Delivery(t, deliveryID(1), many))
	require.Equal(t, sdk.ClassOK, o.Class, "1,000 files: %s %v", o.Message, e.refusals())
	bare := sdk.Event{ID: "1", Source: "s", Type: "some.later.type", Title: "t", Time: time.Unix(0, 0).UTC()}
	o = deliver(t, target, Delivery(t, deliveryID(2), bare))
	require.Equal(t, sdk.ClassOK, o.Class, "an event of a type that is not known yet: %s %v", o.Message, e.refusals())
}

// extreme puts text wherever an application lets people or the network write.
func extreme(e sdk.Event, text string) sdk.Event {
	e.Title, e.Summary, e.Instance, e.DeleteReason = text, text, text, text
	if e.Media != nil {
		e.Media.Title, e.Media.Overview, e.Media.Path = text, text, text
		e.Media.Genres, e.Media.Tags = []string{text}, []string{text}
		e.Media.Poster, e.Media.Fanart = "not a url "+text, ""
	}
	if e.Release != nil {
		e.Release.Title, e.Release.Indexer, e.Release.Group = text, text, text
		e.Release.CustomFormats = []string{text}
	}
	if e.Download != nil {
		e.Download.Client, e.Download.Messages = text, []string{text, text}
	}
	for i := range e.Files {
		e.Files[i].Path, e.Files[i].RelativePath, e.Files[i].Quality = text, text, text
	}
	if e.Health != nil {
		e.Health.Message, e.Health.Check, e.Health.WikiURL = text, text, "not a url "+text
	}
	return e
}
