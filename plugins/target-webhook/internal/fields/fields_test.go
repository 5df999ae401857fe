package fields_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/eventtest"
	"github.com/hookarr/hookarr/plugins/target-webhook/internal/fields"
)

func parse(t require.TestingT, paths ...string) fields.Set {
	set, err := fields.Parse("omit", paths)
	require.NoError(t, err)
	return set
}

const sample = `{"id":"1", "later":{"n":12345678901234567890},"media":{"title":"<Dune>","ids":{"tmdb":"1","imdb":"tt1"},"overview":"…"},
	"files":[{"path":"/a","media_info":{"width":1,"height":2}},null,{"path":"/b"}],"upgrade":false}`

func TestApply(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		only, omit []string
		want       string
	}{
		"nothing": {nil, nil, sample},
		"omit": {
			nil,
			[]string{"media.overview", "files.media_info", "upgrade", "media.ids.imdb", "release.title"},
			`{"id":"1","later":{"n":12345678901234567890},"media":{"title":"<Dune>","ids":{"tmdb":"1"}},"files":[{"path":"/a"},null,{"path":"/b"}]}`,
		},
		"only": {
			[]string{"media.title", "media.ids.tmdb", "files.media_info.width", "id"},
			nil,
			`{"id":"1","media":{"title":"<Dune>","ids":{"tmdb":"1"}},"files":[{"media_info":{"width":1}},null,{}]}`,
		},
		"both":           {[]string{"media"}, []string{"media.ids"}, `{"media":{"title":"<Dune>","overview":"…"}}`},
		"wider wins":     {[]string{"media.title", "media", "media.ids"}, []string{"media.ids.tmdb", "media.ids"}, `{"media":{"title":"<Dune>","overview":"…"}}`},
		"all is omitted": {[]string{"id"}, []string{"id"}, `{}`},
	} {
		got, err := fields.Filter{Only: parse(t, test.only...), Omit: parse(t, test.omit...)}.Apply([]byte(sample))
		require.NoError(t, err, name)
		require.Equal(t, test.want, string(got), name)
	}
}

func TestPathsThatNoEventHas(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"meda":                 `omit[0]: "meda" is no field of an event; did you mean media?`,
		"media.overviews":      `omit[0]: "overviews" is no field of media; did you mean overview?`,
		"files.mediaInfo":      `omit[0]: "mediaInfo" is no field of files; did you mean media_info?`,
		"files.media_info.x9z": `omit[0]: "x9z" is no field of files.media_info`,
		"title.x":              `omit[0]: title has no fields; write title`,
		"time.wall":            `omit[0]: time has no fields; write time`,
		"media.ids.tmdb.x":     `omit[0]: media.ids.tmdb has no fields; write media.ids.tmdb`,
		"media.ids.":           `omit[0]: media.ids has no fields; write media.ids`,
		"":                     `omit[0]: "" is no field of an event`,
		"media..title":         `omit[0]: "" is no field of media`,
		"Media":                `omit[0]: "Media" is no field of an event; did you mean media?`,
	} {
		_, err := fields.Parse("omit", []string{path})
		require.EqualError(t, err, want, path)
	}
	_, err := fields.Parse("only", []string{"id", "x", "title", "y"})
	require.ErrorContains(t, err, "only[1]: ")
	require.ErrorContains(t, err, "only[3]: ")
}

func FuzzApply(f *testing.F) {
	for _, c := range eventtest.Events() {
		data, err := json.Marshal(c.Event)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(sample))
	only, omit := parse(f, "media.title", "files.path", "episodes", "time"), parse(f, "files.path", "media.ids.tmdb")
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		for _, filter := range []fields.Filter{{Only: only}, {Omit: omit}, {Only: only, Omit: omit}} {
			got, err := filter.Apply(data)
			require.NoError(t, err)
			require.True(t, json.Valid(got), "%s", got)
			again, err := filter.Apply(got)
			require.NoError(t, err)
			require.Equal(t, string(got), string(again))
		}
	})
}
