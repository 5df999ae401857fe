package rows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/store/rows"
)

func TestCanonicalJSON(t *testing.T) {
	t.Parallel()

	for from, want := range map[string]string{
		`{"b": 1, "a":[ "<é>", 1.50, null]}`: `{"a":["<é>",1.50,null],"b":1}`,
		`"a\u0000b"`:                         `"a` + "\uFFFD" + `b"`,
		`{"k\u0000": {"v\u0000": true}}`:     `{"k` + "\uFFFD" + `":{"v` + "\uFFFD" + `":true}}`,
		`12345678901234567890`:               `12345678901234567890`,
	} {
		got, err := rows.CanonicalJSON([]byte(from))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := rows.CanonicalJSON([]byte("{"))
	require.Error(t, err)
}

func TestDigestTellsRowsApart(t *testing.T) {
	t.Parallel()

	of := func(list ...rows.Row) string {
		t.Helper()
		var d rows.Digest
		for _, row := range list {
			require.NoError(t, d.Add(row))
		}
		require.EqualValues(t, len(list), d.Rows)
		return d.String()
	}
	one, two := rows.Row{int64(1), "a", nil}, rows.Row{int64(1), "a", []byte("b")}
	require.Equal(t, of(one, two), of(two, one), "databases sort differently")
	all := []string{
		of(), of(one), of(two), of(one, one), of(one, two),
		of(rows.Row{"1", "a", nil}), of(rows.Row{int64(1), []byte("a"), nil}), of(rows.Row{int64(1), "", "a"}), of(rows.Row{int64(1), "a", ""}),
	}
	for i, digest := range all {
		require.NotContains(t, all[i+1:], digest)
	}
	var d rows.Digest
	require.ErrorContains(t, d.Add(rows.Row{1.5}), "float64")
}

func TestTablesThatDiffer(t *testing.T) {
	t.Parallel()

	table := func(name string, kind rows.Kind) rows.Table {
		return rows.Table{Name: "events", Columns: []rows.Column{{Name: name, Kind: kind}}}
	}
	require.NoError(t, table("id", rows.Bytes).Same(table("id", rows.Bytes)))
	require.ErrorContains(t, table("id", rows.Bytes).Same(table("key", rows.Bytes)), "[id] in one database and [key]")
	require.ErrorContains(t, table("id", rows.Bytes).Same(table("id", rows.Text)), "column id of table events is bytes in one database and a text")
}
