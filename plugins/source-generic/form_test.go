package generic

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr/arrtest"
	"github.com/hookarr/hookarr/sdk"
)

const formType = "application/x-www-form-urlencoded"

// multipartForm is a form as Plex sends it: fields, and a picture.
func multipartForm(tb testing.TB, fields ...[2]string) (contentType string, body []byte) {
	tb.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	picture, err := w.CreateFormFile("thumb", "thumb.jpg")
	require.NoError(tb, err)
	_, err = picture.Write([]byte("\xff\xd8\xff\r\n--not the boundary\r\n"))
	require.NoError(tb, err)
	for _, f := range fields {
		require.NoError(tb, w.WriteField(f[0], f[1]))
	}
	require.NoError(tb, w.Close())
	return w.FormDataContentType(), b.Bytes()
}

func typed(contentType string) http.Header { return http.Header{"Content-Type": {contentType}} }

func TestForms(t *testing.T) {
	t.Parallel()
	const json = `{"subject":"Dune & Dune: 2","request":{"id":7},"media":{"type":"movie"}}`
	want := decode(t, requests(), json)
	require.Equal(t, "Dune & Dune: 2", want.Title)
	multipartType, multipartBody := multipartForm(t, [2]string{"before", "1"}, [2]string{"payload", json}, [2]string{"payload", "{}"})
	for name, r := range map[string]struct{ contentType, body string }{
		"urlencoded":            {formType, "token=x&payload=" + url.QueryEscape(json) + "&payload=%7B%7D"},
		"with a charset":        {formType + "; charset=utf-8", "payload=" + url.QueryEscape(json)},
		"multipart":             {multipartType, string(multipartBody)},
		"JSON that says form":   {formType, json},
		"JSON with a mark":      {formType, "\uFEFF" + json},
		"JSON in a broken type": {"application/json; =", json},
	} {
		e, err := arrtest.Decode(decoder{requests()}, []byte(r.body), typed(r.contentType))
		require.NoError(t, err, name)
		require.Equal(t, want, e, name)
	}
}

func TestInvalidForms(t *testing.T) {
	t.Parallel()
	multipartType, multipartBody := multipartForm(t, [2]string{"data", "{}"})
	for name, tt := range map[string]struct{ contentType, body, want string }{
		"no payload":          {formType, "b=1&a\n=2&b=3", "the body is a form without a field payload, where JSON is looked for; it has b, a"},
		"no field":            {formType, "&=", "the body is a form without a field payload"},
		"not encoded":         {formType, "payload=%zz", "the field payload of the form is not encoded as a form's"},
		"not JSON":            {formType, "payload=hello", "the body is not JSON"},
		"empty":               {formType, "payload=", "the body is empty"},
		"many fields":         {formType, strings.Repeat("a=1&", 1<<20) + "payload=%7B%7D", "it has a"},
		"multipart without":   {multipartType, string(multipartBody), "it has thumb, data"},
		"multipart cut off":   {multipartType, string(multipartBody[:len(multipartBody)/2]), "breaks off or is damaged"},
		"multipart unbound":   {"multipart/form-data", string(multipartBody), "names no boundary"},
		"multipart is no one": {multipartType, "hello", "breaks off or is damaged"},
	} {
		_, err := arrtest.Decode(decoder{requests()}, []byte(tt.body), typed(tt.contentType))
		require.ErrorContains(t, err, tt.want, name)
		require.NotContains(t, err.Error(), "\n", name)
		_, ok := sdk.AsInvalid(err)
		require.True(t, ok, name)
	}
}

func FuzzForm(f *testing.F) {
	contentType, body := multipartForm(f, [2]string{"payload", `{"subject":"Dune"}`})
	f.Add(contentType, body)
	f.Add(formType, []byte("a=1&payload=%7B%22subject%22%3A1%7D"))
	f.Add(formType+`; charset="`, []byte("payload={}"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=payload\r\n\r\n{}\r\n--x--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		e, err := arrtest.Decode(decoder{requests()}, body, typed(contentType))
		if err != nil {
			_, ok := sdk.AsInvalid(err)
			require.True(t, ok, "%v", err)
			return
		}
		require.NotEmpty(t, e.Title)
	})
}
