package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// TestInitInImage: what init writes in a container is reached from other ones, by one port.
func TestInitInImage(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	file := filepath.Join(volume, "hookarr.yaml")
	in := []string{"HOOKARR_VOLUME=" + volume}
	r := runWith(t, "", in, "init", "--config", file, "--app", "radarr=http://radarr:7878,0123456789abcdef", "--app", "readarr", "--discord", "https://discord.com/api/webhooks/1/x")
	require.Zero(t, r.code, r.err)
	golden(t, "init-image.txt", strings.ReplaceAll(r.out, file, "/config/hookarr.yaml"))
	c, err := config.Loader{Environ: func() []string { return in }}.Load(file)
	require.NoError(t, err)
	require.Empty(t, c.Warnings, "HOOKARR_VOLUME is known")
	require.True(t, c.SharesListener())
	require.Equal(t, ":8484", c.Listen)
	require.Len(t, c.Plugins.Dir, 2)
	own := filepath.Join(volume, "plugins")
	require.Equal(t, own, c.Plugins.Dir[1])
	require.DirExists(t, own)
}

// TestFirstStart: serve --init writes a configuration once and says what to do, without a
// secret.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	volume, address := t.TempDir(), freeAddress(t)
	file := filepath.Join(volume, "hookarr.yaml")
	environ := []string{"HOOKARR_VOLUME=" + volume, "HOOKARR_LISTEN=" + address, "HOOKARR_ADMIN_LISTEN=" + address, "HOOKARR_PLUGINS_DIR=" + pluginDir(t)}
	serve := func() string {
		var log lockedBuffer
		c := &cli{err: &log, out: t.Output(), environ: func() []string { return environ }}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan int, 1)
		go func() { done <- c.run(ctx, []string{"serve", "--init", "--config", file}) }()
		require.Eventually(t, func() bool {
			return runWith(t, "", environ, "healthcheck", "--config", file) == result{out: "ready\n"}
		}, time.Minute, 20*time.Millisecond)
		r := runWith(t, "", environ, "open", "--config", file)
		require.Regexp(t, `^http://`+address+`/login#`, r.out)
		stop()
		require.Zero(t, <-done, log.String())
		return log.String()
	}
	said := serve()
	if os.Getuid() == 0 {
		require.Contains(t, said, "hookarr: warning: this runs as root, as PUID and PGID are empty")
	}
	require.Contains(t, said, `msg="first start: a configuration is written" file=`+file)
	require.Contains(t, said, `msg="first start: to sign in" run="docker exec CONTAINER hookarr open"`)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	c, err := config.Loader{Environ: func() []string { return nil }}.Load(file)
	require.NoError(t, err)
	for _, secret := range []string{c.Admin.Tokens[0].Token.Reveal(), c.Sources["radarr"].Auth[1].Basic.Password.Reveal()} {
		require.NotContains(t, said, secret)
	}

	require.NotContains(t, string(written), "127.0.0.1:", "in a container that is itself")
	require.Contains(t, string(written), "# tls: {cert_file: /config/tls.crt,")
	require.Contains(t, string(written), `base_url: "http://radarr:7878"`)
	require.Contains(t, string(written), "PLACEHOLDER")
	require.NotRegexp(t, "`hookarr ", string(written), "commands are run in the container")

	require.NotContains(t, serve(), "first start")
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(written), string(again))
	require.Equal(t, result{code: exitError, err: fmt.Sprintf("hookarr: no server answers at %s, nor at http://%s\n", c.AdminSocket(), address)},
		runWith(t, "", environ, "healthcheck", "--config", file))
}

// TestContainerSaysWhatIsWrong: with what it is started with, in words for whoever starts it.
func TestContainerSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	volume := t.TempDir()
	for _, command := range []string{"serve", "version"} {
		require.Equal(t, result{code: exitError, err: "hookarr: PUID=\"abc\" is no number of a user: want 1 to 2147483647, such as PUID=1000; the command id prints yours\n"},
			runWith(t, "", []string{"HOOKARR_VOLUME=" + volume, "PUID=abc"}, command))
	}
	r := runWith(t, "", []string{"HOOKARR_VOLUME=" + filepath.Join(volume, "none")}, "serve", "--init")
	require.Equal(t, exitError, r.code)
	require.Contains(t, r.err, "hookarr: there is no "+filepath.Join(volume, "none")+": mount a volume there\n")
}

// TestLinkFromElsewhere: a link to every address is opened by that of the machine.
func TestLinkFromElsewhere(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		":8485":          " On another machine, put the address of this one in the place of localhost.",
		"0.0.0.0:8485":   " On another machine, put the address of this one in the place of localhost.",
		"localhost:8485": " From another machine, run there first: ssh -L 8485:localhost:8485 HOST",
	} {
		c := &cli{configFile: write(t, fmt.Sprintf("admin: {listen: %q}\n", listen)), environ: func() []string { return nil }}
		require.Equal(t, want, c.fromElsewhere("http://localhost:8485/login#x"), listen)
	}
	c := &cli{configFile: write(t, "admin: {listen: ':8485'}\n"), environ: func() []string { return nil }}
	require.Empty(t, c.fromElsewhere("https://hookarr.example/login#x"))
}
