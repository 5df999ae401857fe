package endpoint_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/endpoint"
)

const goodMail = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
	"Message-ID: <1@example.com>\r\n" +
	"From: \"A\" <a@example.com>\r\n" +
	"To: <b@example.com>,\r\n <c@example.com>\r\n" +
	"Subject: =?UTF-8?q?=E2=9C=85?= hello\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=xyz\r\n" +
	"\r\n" +
	"--xyz\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\na=C3=A4\r\nb\r\n" +
	"--xyz\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n<img src=3D\"https://a.example/b\">\r\n" +
	"--xyz--\r\n"

func TestMailIsReadAsItsReadersDo(t *testing.T) {
	t.Parallel()
	m, err := endpoint.ReadMail([]byte(goodMail))
	require.NoError(t, err)
	require.Equal(t, "✅ hello", m.Header["Subject"])
	require.Equal(t, "aä\nb", m.Text)
	require.Equal(t, []string{"https://a.example/b"}, m.Loads())
}

func TestMailRefusesEveryBreach(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][2]string{
		"long line":       {"hello", strings.Repeat("a", 999)},
		"8 bits":          {"hello", "hellö"},
		"bare line feed":  {"a=C3=A4\r\n", "a=C3=A4\n"},
		"NUL":             {"hello", "\x00"},
		"no date":         {"Date: Mon", "Date: Someday"},
		"no identifier":   {"Message-ID: <1@example.com>\r\n", ""},
		"bad identifier":  {"<1@example.com>\r\nFrom", "<1 @example.com>\r\nFrom"},
		"no sender":       {"From: \"A\" <a@example.com>", "From: A"},
		"no recipient":    {"To: <b@example.com>,\r\n <c@example.com>\r\n", ""},
		"two subjects":    {"Subject:", "Subject: a\r\nSubject:"},
		"empty subject":   {"=?UTF-8?q?=E2=9C=85?= hello", ""},
		"line in a field": {"=E2=9C=85", "=0D=0ABcc:"},
		"empty copies":    {"Subject:", "Cc: \r\nSubject:"},
		"one part":        {"multipart/alternative; boundary=xyz", "text/plain"},
		"other encoding":  {"quoted-printable\r\nContent-Type: text/plain", "8bit\r\nContent-Type: text/plain"},
		"bad text":        {"a=C3=A4", "a=C3"},
		"text last":       {"text/plain", "text/html"},
		"empty text":      {"a=C3=A4\r\nb", " "},
		"broken off":      {"--xyz--\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, goodMail, change[0])
			_, err := endpoint.ReadMail([]byte(strings.Replace(goodMail, change[0], change[1], 1)))
			require.Error(t, err)
		})
	}
}

func TestMailHasThePicturesThatItsPageShows(t *testing.T) {
	t.Parallel()
	const picture = "--uvw\r\nContent-Transfer-Encoding: base64\r\nContent-Type: image/png; name=\"p.png\"\r\nContent-ID: <p@example.com>\r\n\r\niVBORw0KGgo=\r\n"
	_, text, ok := strings.Cut(goodMail, "\r\n\r\n")
	require.True(t, ok)
	head, _, ok := strings.Cut(goodMail, "Content-Type")
	require.True(t, ok)
	with := func(picture, source string) error {
		_, err := endpoint.ReadMail([]byte(head + "Content-Type: multipart/related; boundary=uvw\r\n\r\n--uvw\r\nContent-Type: multipart/alternative; boundary=xyz\r\n\r\n" +
			strings.Replace(text, "https://a.example/b", source, 1) + picture + "--uvw--\r\n"))
		return err
	}
	require.NoError(t, with(picture, "cid:p@example.com"))
	require.NoError(t, with("", "https://a.example/b"))
	require.Error(t, with("", "cid:p@example.com"), "it is not there")
	require.Error(t, with(picture, "https://a.example/b"), "nobody sees it")
	require.Error(t, with(strings.Replace(picture, "png;", "jpeg;", 1), "cid:p@example.com"), "it is another kind")
	require.Error(t, with(strings.Replace(picture, "image/png", "application/pdf", 1), "cid:p@example.com"))
}
