package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	c, err := config.Loader{Environ: fullEnviron}.Load("testdata/full.yaml")
	require.NoError(t, err)
	var text strings.Builder
	for _, s := range c.Settings(schemas) {
		fmt.Fprintf(&text, "%s = %s (%s)\n", s.Key, s.Value, s.Origin)
	}
	golden(t, "testdata/settings.txt", text.String())
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "hookarr.yaml")
	require.NoError(t, os.WriteFile(secret, []byte("0123456789abcdef"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte(`
log: {level: warn}
plugins: {dir: ./plugins}
sources:
  radarr:
    plugin: radarr
    auth:
      - basic: {username: arr, password_file: `+secret+`}
  open: {plugin: radarr, auth: [{none: {}}]}
targets:
  ops: {plugin: webhook, group: off, config: {url_file: `+secret+`}}
`), 0o600))
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("listen", "", "")
	require.NoError(t, flags.Set("listen", "127.0.0.1:9"))
	c, err := config.Loader{Flags: flags, Environ: func() []string {
		return []string{"HOOKARR_LOG_FORMAT=json", "HOOKARR_TRUSTED_PROXIES=10.0.0.1/32,10.0.0.2/32", "HOOKARR_TARGETS__OPS__CONFIG__URL=http://127.0.0.1"}
	}}.Load(file)
	require.NoError(t, err)
	for key, want := range map[string]config.Origin{
		"listen":                                 {File: "--listen", Key: "listen"},
		"log.level":                              {File: file, Line: 2, Key: "log.level"},
		"log.format":                             {File: "$HOOKARR_LOG_FORMAT", Key: "log.format"},
		"trusted_proxies[1]":                     {File: "$HOOKARR_TRUSTED_PROXIES", Key: "trusted_proxies"},
		"plugins.dir[0]":                         {File: file, Line: 3, Key: "plugins.dir"},
		"plugins.lock":                           {},
		"shutdown.drain":                         {},
		"sources.radarr.auth[0].basic.username":  {File: file, Line: 8, Key: "sources.radarr.auth[0].basic.username"},
		"sources.radarr.auth[0].basic.password":  {File: file, Line: 8, Key: "sources.radarr.auth[0].basic.password_file"},
		"sources.open.auth[0].none":              {File: file, Line: 9, Key: "sources.open.auth[0].none"},
		"sources.radarr.catchup.enabled":         {},
		"targets.ops.group.by":                   {File: file, Line: 11, Key: "targets.ops.group"},
		"targets.ops.config.url":                 {File: "$HOOKARR_TARGETS__OPS__CONFIG__URL", Key: "targets.ops.config.url"},
		"targets.ops.retry.max_age":              {},
		"sources.radarr.auth[0].basic.something": {},
	} {
		require.Equal(t, want, c.Origin(key), key)
	}
	require.Equal(t, "default", c.Origin("plugins.lock").String())
	require.Equal(t, file+":2", c.Origin("log.level").String())
}
