package config_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/config"
)

// pipe returns the name of a named pipe without a writer.
func pipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	return name
}

// A pipe in the place of a file keeps nobody waiting.
func TestPipesKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	const want = "it is a pipe into which nobody has written: name a file"
	name := pipe(t)
	_, err := config.Load(name)
	require.EqualError(t, err, name+": cannot be read: "+want)

	file := filepath.Join(t.TempDir(), "hookarr.yaml")
	require.NoError(t, os.WriteFile(file, []byte("database: {url_file: "+name+"}\n"), 0o600))
	_, err = config.Load(file)
	require.ErrorContains(t, err, "database.url_file: cannot read "+name+": "+want)

	c := config.Config{TLS: config.TLS{CertFile: name, KeyFile: name}}
	_, err = c.TLS.Certificate()
	require.ErrorContains(t, err, want)
}

// What a shell gives as <(…) is a pipe with a writer.
func TestPipeOfAShellIsRead(t *testing.T) {
	t.Parallel()
	name := pipe(t)
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	reads, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	_, err = w.WriteString("listen: 127.0.0.1:1\n")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	c, err := config.Load(name)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", c.Listen)
	require.NoError(t, reads.Close())
}
