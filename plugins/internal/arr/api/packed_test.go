package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

func TestPackedTitlesComeBackInTheOrderOfTheirIDs(t *testing.T) {
	t.Parallel()
	order := rand.New(rand.NewPCG(1, 2)).Perm(2000)
	text := func(id int64) string { return fmt.Sprintf("%d %s", id, strings.Repeat("overview ", int(id%200))) }
	s := &packed{}
	for _, i := range order {
		require.NoError(t, s.put(int64(i+1), []byte(text(int64(i+1)))))
	}
	require.NoError(t, s.put(7, []byte("the same again")))
	s.sort()
	require.Greater(t, len(s.blocks), 2)
	check := func(s *packed, from, to int64) {
		slots := s.from(from)
		require.Len(t, slots, int(to-from+1))
		for i, slot := range slots {
			title, err := s.get(slot)
			require.NoError(t, err)
			require.Equal(t, text(from+int64(i)), string(title))
		}
	}
	check(s, 1, 2000)
	check(s, 1990, 2000)
	require.Empty(t, s.from(2001))
	half, err := s.lower()
	require.NoError(t, err)
	half.sort()
	check(half, 1, 1000)
}

// bare is a title of which only the id is known.
type bare struct{ ID arr.ID }

func (b *bare) Row() int64 { return Row(b.ID) }
func (*bare) Files() int   { return 0 }
func (*bare) Empty() bool  { return false }

// list keeps the titles of a list, as many as fit of those with an id and higher ones.
func list(body string, from int64) (*titles, error) {
	all := newTitles()
	all.packed.limit = 1 << 10
	c := &Client{app: arr.Radarr}
	err := c.entries("movie", strings.NewReader(body), func(raw json.RawMessage) error {
		t := &bare{}
		if err := arr.Unmarshal(raw, t); err != nil {
			return err
		}
		return all.add(t, from)
	})
	all.packed.sort()
	return all, err
}

func TestALibraryThatDoesNotFitIsKeptFromBelow(t *testing.T) {
	t.Parallel()
	var each []string
	for i := range 5000 {
		each = append(each, fmt.Sprintf(`{"id":%d,"overview":"%x"}`, (i*37)%5000+1, rand.Uint64()))
	}
	body := "[" + strings.Join(each, ",") + "]"
	for from := int64(0); from < 5000; {
		all, err := list(body, from)
		require.NoError(t, err)
		require.Equal(t, 5000, all.items)
		slots := all.packed.from(from)
		require.NotEmpty(t, slots)
		for i, s := range slots {
			require.Equal(t, max(from, 1)+int64(i), s.id, "none is missing")
		}
		last := slots[len(slots)-1].id
		require.Equal(t, last < 5000, all.cut)
		require.Greater(t, last, from)
		from = last
	}
}

func FuzzTitles(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"id":1,"title":"Sintel"},{"id":2}]`, `[{"id":"3"}]`, `[null]`, `[[]]`, `{"id":1}`, "<html>", `[{"id":1},`, `[{"id":-1}]`, `[{"ID":9e9}]`,
	} {
		f.Add([]byte(seed), int64(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, from int64) {
		all, err := list(string(body), from)
		if err != nil {
			return
		}
		last := int64(0)
		for _, s := range all.packed.from(from) {
			require.Greater(t, s.id, last)
			require.GreaterOrEqual(t, s.id, from)
			last = s.id
			_, err := all.packed.get(s)
			require.NoError(t, err)
		}
	})
}

func TestBookmarks(t *testing.T) {
	t.Parallel()
	for cursor, want := range map[string]bookmark{
		"": {whole: true}, "17": {title: 17, whole: true}, "17/0": {title: 17}, "17/230": {title: 17, file: 230},
	} {
		got, err := parseBookmark(cursor)
		require.NoError(t, err)
		require.Equal(t, want, got)
		if cursor != "" {
			require.Equal(t, cursor, got.String())
		}
	}
	for _, cursor := range []string{"x", "-1", "1/", "1/x", "1/-2", "/", "99999999999999999999"} {
		_, err := parseBookmark(cursor)
		require.ErrorContains(t, err, "is none of this plugin", cursor)
	}
}
