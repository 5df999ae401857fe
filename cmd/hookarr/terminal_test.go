package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// hostile has what clears a terminal, turns text around, hides and breaks lines.
const hostile = "a\x1b[2J\u009b2J\u202egnp.exe\u2066\u200b\u00ad\u2028\U000e0001\x7f\rz"

const harmless = `a\u001b[2J\u009b2J\u202egnp.exe\u2066\u200b\u00ad\u2028\udb40\udc01\u007f\u000dz`

func TestNothingActsOnTheTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		hostile: harmless, "plain\n\tünïcode — 日本 🎬\n": "plain\n\tünïcode — 日本 🎬\n", "\x9b2J \xff": `\x9b2J \xff`, "": "",
	} {
		var out bytes.Buffer
		n, err := visible{&out}.Write([]byte(in))
		require.NoError(t, err)
		require.Equal(t, len(in), n)
		require.Equal(t, want, out.String())
	}
	var out bytes.Buffer
	require.NoError(t, json.NewEncoder(visible{&out}).Encode(hostile))
	var back string
	require.NoError(t, json.Unmarshal(out.Bytes(), &back), "it is still JSON")
	require.Equal(t, hostile, back)
}

// What strangers and plugins say passes through tables, JSON, errors and logs.
func TestOutputOfCommandsIsHarmless(t *testing.T) {
	t.Parallel()
	file, s := newDatabase(t)
	body := []byte(hostile + "\xff")
	_, err := s.Accept(t.Context(), &store.Acceptance{Event: event.Event{
		ID: id(1), Source: "radarr", Origin: sdk.OriginWebhook, State: event.Routed, Type: sdk.TypeMediaImported, Title: hostile, Summary: hostile,
		Reason: hostile, CorrelationKey: hostile, Normalized: []byte(fmt.Sprintf(`{"title":"a%sz"}`, "\u202e")),
		Request: event.Request{Body: body, Query: "a=\u202e", Header: map[string][]string{"X": {hostile}}},
	}})
	require.NoError(t, err)
	broken := write(t, fmt.Sprintf("%q: 1\n", hostile))
	for _, args := range [][]string{
		{"events", "list", "--config", file},
		{"events", "list", "--json", "--config", file},
		{"events", "show", id(1).String(), "--config", file},
		{"events", "show", id(1).String(), "--json", "--config", file},
		{"events", "body", id(1).String(), "--normalized", "--config", file},
		{"check", "--config", broken},
		{"check", "--json", "--config", broken},
		{"no" + hostile},
		{"events", "show", hostile, "--config", file},
	} {
		r := run(t, args...)
		for _, c := range r.out + r.err {
			require.False(t, acts(c), "%q in %q %s %s", c, args, r.out, r.err)
		}
	}
	require.Equal(t, string(body), run(t, "events", "body", id(1).String(), "--config", file).out, "as it was received")
}
