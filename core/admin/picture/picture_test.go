package picture

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsNotKnownHasNoPicture(t *testing.T) {
	t.Parallel()
	for _, m := range []Message{
		{Plugin: "rocketchat", Body: `{"embeds":[{"title":"x"}]}`},
		{Plugin: "discord", Body: `{"embeds":[{"title":`},
		{Plugin: "discord", Body: `{}`},
		{Plugin: "slack", Body: `[]`},
		{Plugin: "telegram", Body: `{"text":1}`},
		{Plugin: "telegram", Header: http.Header{"Content-Type": {"multipart/form-data"}}, Body: "--x"},
		{Plugin: "webhook", Body: `{"type":"media.imported","data":{}}`},
		{Plugin: "webhook", Body: `text`},
		{Plugin: "email"},
	} {
		require.Empty(t, Read(m), m)
	}
}

func TestButtonsAndAddresses(t *testing.T) {
	t.Parallel()
	require.Equal(t, []Picture{{Parts: []Part{
		{Buttons: []Button{{"Open", "https://radarr.example/"}, {Text: "Approve"}}},
		{Label: "picture", Text: "https://image.example/1.jpg"},
	}}}, Read(Message{Plugin: "slack", Body: `{"blocks":[
		{"type":"actions","elements":[
			{"type":"button","text":{"type":"plain_text","text":"Open"},"url":"https://radarr.example/"},
			{"type":"button","text":{"type":"plain_text","text":"Approve"}},
			{"type":"datepicker","placeholder":{"type":"plain_text","text":"x"}}, {"type":"button","text":1}]},
		{"type":"image","image_url":"https://image.example/1.jpg"}]}`}))
	require.Equal(t, []Picture{{Parts: []Part{{Text: "m"}, {Buttons: []Button{{"TMDb", "https://tmdb.example/"}}}}}},
		Read(Message{Plugin: "ntfy", Body: `{"message":"m","actions":[{"label":"TMDb","url":"https://tmdb.example/"}]}`}))
}

func TestMarkup(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a_b code bold link] and [x] 2*3", fromMarkdown("a\\_b `code` **bold** [link\\]](https://x.example/) and \\[x\\] 2*3"))
	require.Equal(t, "bold a<b later 2 * 3 * 4", fromMrkdwn("*bold* <https://x|a&lt;b> <!date^1^{date}|later> 2 * 3 * 4"))
	require.Equal(t, "https://x.example/", fromMrkdwn("<https://x.example/>"))
	require.Equal(t, "1 < 2 & a", fromHTML("<b>1 &lt; 2</b> &amp; <a href=\"x\">a</a>"))
}

func FuzzRead(f *testing.F) {
	for _, plugin := range []string{"discord", "slack", "telegram", "email", "ntfy"} {
		f.Add(plugin, "application/json", `{"embeds":[{"title":"**x**"}],"blocks":[{"fields":[{"text":"<a|b>"}]}],"text":"<b>","message":"m"}`)
		f.Add(plugin, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nc\r\n--x--")
	}
	f.Fuzz(func(t *testing.T, plugin, mediaType, body string) {
		for _, p := range Read(Message{Plugin: plugin, Header: http.Header{"Content-Type": {mediaType}, "Subject": {body}}, Body: body}) {
			require.NotEmpty(t, p.Parts)
			for _, part := range p.Parts {
				require.NotEmpty(t, strings.TrimSpace(part.Text+part.Strong)+strings.Repeat("f", len(part.Fields)+len(part.Buttons)))
			}
		}
	})
}
