package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/internal/fakeserver/plex"
	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
)

// TestOptions has a real plugin ask an imitated server for what the file lacks.
func TestOptions(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	m.plex.AddSection(plex.Movies, "Movies", "/data/movies")
	m.plex.AddSection(plex.Shows, "TV Shows", "/data/tv", "/more/tv")
	file := m.config("libraries: [Film]")

	r := run(t, "targets", "options", "plex", "--config", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, "KEY        DESCRIPTION\nlibraries  Names of the libraries to keep up to date; none is all.\n", r.out)
	r = run(t, "targets", "options", "plex", "--json", "--config", file)
	var keys []host.OptionKey
	require.NoError(t, json.Unmarshal([]byte(r.out), &keys), r.err)
	require.Equal(t, "libraries", keys[0].Key)

	r = run(t, "targets", "options", "plex", "libraries", "--config", file)
	require.Equal(t, exitOK, r.code, r.err)
	golden(t, "options.txt", r.out)
	require.Empty(t, r.err)
	r = run(t, "targets", "options", "plex", "libraries", "--json", "--config", file)
	var options []sdk.Option
	require.NoError(t, json.Unmarshal([]byte(r.out), &options), r.err)
	require.Equal(t, []sdk.Option{{Value: "Movies", Label: "movie in /data/movies"}, {Value: "TV Shows", Label: "series in /data/tv, /more/tv"}}, options)

	for words, want := range map[string]string{"targets options ": "plex\n", "targets options plex ": "libraries\tNames of the libraries to keep up to date; none is all.\n"} {
		r = run(t, append(strings.Fields("__complete --config "+file+" "+words), "")...)
		require.Contains(t, r.out, want, words)
	}
}

// What is wrong is named, with what mends it.
func TestOptionsThatCannotBeTold(t *testing.T) {
	t.Parallel()
	m := newMedia(t).app("radarr", "radarr", "/movies")
	m.plex.AddSection(plex.Movies, "Movies", "/data/movies")
	config := func(target string) string {
		return write(t, fmt.Sprintf(`
plugins: {dir: %s}
sources:
  radarr: {plugin: radarr, auth: [{none: {}}]}
targets:
  plex: %s
  hook: {plugin: webhook, config: {url: "http://127.0.0.1:1"}}
routes:
  - {name: media, to: [plex]}
`, pluginDir(t), target))
	}
	complete := config(fmt.Sprintf("{plugin: plex, config: {url: %q, token: %s}}", m.url, plex.Token))
	another := config(fmt.Sprintf("{plugin: plex, config: {url: %q, token: not-that-token}}", m.url))
	for args, want := range map[string]string{
		"targets options plx --config " + complete:                                                                           complete + ` has no target "plx"; did you mean "plex"?`,
		"sources options plex libraries --config " + complete:                                                                complete + ` has no source "plex"; there are radarr`,
		"targets options plex librarys --config " + complete:                                                                 `the plugin of target plex knows no values of the setting librarys (hookarr targets options plex lists those that it knows some of); did you mean "libraries"?`,
		"targets options hook url --config " + complete:                                                                      "the plugin of target hook does not tell which values a setting may have: hookarr plugins inspect target-webhook --schema shows its settings",
		"sources options radarr --config " + complete:                                                                        "the plugin of source radarr does not tell which values a setting may have: hookarr plugins inspect source-radarr --schema shows its settings",
		"targets options plex libraries --config " + another:                                                                 "ask target plex for the values of targets.plex.config.libraries: read the libraries of Plex: ",
		"targets options plex libraries --config " + config(`{plugin: plex, config: {url: "http://127.0.0.1:1", token: t}}`): "connection refused",
		"targets options plex libraries --config " + config(`{plugin: plex, config: {libraries: [A], tokn: t}}`):             "targets.plex.config.libraries: mend its other settings first: token: is required; tokn: is an unknown key; did you mean token?; url: is required",
		"targets options plex libraries --config " + config(`{plugin: plx}`):                                                 "hookarr-target-plx does not exist",
		"targets options plex libraries --config " + config(`{plugin: radarr}`):                                              "radarr is a source plugin, which takes webhooks in: it belongs under sources",
		"targets options plex libraries --config " + config(`{plugin: plex, config: {url: "${PLEX_URL}", token: t}}`):        "targets.plex.config.url: ",
		"targets options plex libraries --config " + config(`{plugin: plex, confg: {}}`):                                     "mend its other settings first: token: is required; url: is required",
		"targets options plex --socket /nowhere/hookarr.sock":                                                                "no server answers at /nowhere/hookarr.sock",
	} {
		r := run(t, strings.Fields(args)...)
		require.Equal(t, exitError, r.code, args+"\n"+r.out)
		require.Contains(t, r.err, want, args)
		require.NotContains(t, r.err, "not-that-token")
	}
	r := run(t, "targets", "options", "--config", complete)
	require.Equal(t, exitUsage, r.code)
}

// Of the file, only what the question needs has to be right; hookarr check tells the rest.
func TestOptionsOfAnUnfinishedFile(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	section := m.plex.AddSection(plex.Movies, "Movies", "/data/movies")
	file := write(t, fmt.Sprintf(`
plugins: {dir: %s}
listen: nowhere
targets:
  plex:
    plugin: plex
    timeout: soon
    config: {url: %q, token: %s, libraries: ["${FAVOURITE}"]}
  other: {plugin: none, config: {token: "${NOT_SET}"}}
routes:
  - {name: media, when: "event.", to: [nobody]}
`, pluginDir(t), m.url, plex.Token))
	require.Equal(t, exitError, run(t, "check", "--config", file).code)
	r := run(t, "targets", "options", "plex", "libraries", "--config", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Contains(t, r.out, "Movies")

	m.plex.RemoveSection(section)
	r = run(t, "targets", "options", "plex", "libraries", "--json", "--config", file)
	require.Equal(t, exitOK, r.code, r.err)
	require.Equal(t, "[]\n", r.out)
	require.Equal(t, "note: the endpoint of plex has none\n", r.err)
}

// TestOptionsSandbox: a plugin that has to run in a sandbox is asked in one, from which it
// reaches no server, or not at all.
func TestOptionsSandbox(t *testing.T) {
	t.Parallel()
	m := newMedia(t)
	m.plex.AddSection(plex.Movies, "Movies", "/data/movies")
	file := write(t, fmt.Sprintf(`
plugins: {dir: %s, target-plex: {sandbox: on}}
targets:
  plex: {plugin: plex, config: {url: %q, token: %s}}
`, pluginDir(t), m.url, plex.Token))
	r := run(t, "targets", "options", "plex", "libraries", "--config", file)
	require.Equal(t, exitError, r.code, r.out)
	require.NotContains(t, r.out, "Movies")
	require.Regexp(t, `read the libraries of Plex: |plugins\.target-plex\.sandbox is on and there is no sandbox`, r.err)
}
