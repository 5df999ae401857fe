package plugincheck

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFileIsJudged: what cannot be a plugin is told from its file, with the command that mends
// it, and nothing of it is run.
func TestFileIsJudged(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the messages are those of linux/amd64")
	}
	built, err := os.ReadFile(filepath.Join(os.Getenv(builtEnv), "faulty"))
	require.NoError(t, err)
	arm := append([]byte(nil), built...)
	const machine = 18 // the field of an ELF header
	binary.LittleEndian.PutUint16(arm[machine:], uint16(elf.EM_AARCH64))
	object := append([]byte(nil), built...)
	const kind = 16
	binary.LittleEndian.PutUint16(object[kind:], uint16(elf.ET_REL))
	for _, c := range []struct {
		what, name string
		data       []byte
		mode       os.FileMode
		says       string
	}{
		{"another name", "my-plugin", built, 0o755, "if it is one: run mv DIR/my-plugin DIR/hookarr-target-NAME, or -source-NAME"},
		{"a name in capitals", "hookarr-target-Discord", built, 0o755, "is no plugin by its name"},
		{"no run bit", "hookarr-target-x", built, 0o644, "is not executable: run chmod a+rx DIR/hookarr-target-x"},
		{"others may write", "hookarr-target-x", built, 0o777, "can be changed by others (mode 0777): run chmod go-w DIR/hookarr-target-x"},
		{"setuid", "hookarr-target-x", built, 0o755 | os.ModeSetuid, "run chmod ug-s DIR/hookarr-target-x"},
		{"another machine", "hookarr-target-x", arm, 0o755, "a program for linux/arm64, and this is linux/amd64: build it for this system, in Go with GOOS=linux GOARCH=amd64 go build -o DIR/hookarr-target-x ."},
		{"an object file", "hookarr-target-x", object, 0o755, "is no whole program but ET_REL"},
		{"half of a program", "hookarr-target-x", built[:100], 0o755, "a damaged program for Linux"},
		{"a program for macOS", "hookarr-target-x", []byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0o755, "a program for macOS"},
		{"nothing", "hookarr-target-x", nil, 0o755, "is empty: run go build -o DIR/hookarr-target-x . again"},
		{"a text", "hookarr-target-x", []byte("console.log('hello')\n"), 0o755, "is a text: if it is a script, its first line has to name what runs it, such as #!/usr/bin/node"},
		{"an archive", "hookarr-target-x", []byte("PK\x03\x04\x00\x00"), 0o755, "in no format that this system knows"},
		{"a script of what is not there", "hookarr-target-x", []byte("#!/usr/bin/no-such-node\n"), 0o755, "is run by /usr/bin/no-such-node, which is not there: install it"},
		{"a script by env of what is not there", "hookarr-target-x", []byte("#!/usr/bin/env no-such-node\n"), 0o755, "is run by no-such-node, which is not there: install it"},
		{"a script of nothing", "hookarr-target-x", []byte("#!\n"), 0o755, "nothing after #! in its first line: name what runs it, such as #!/usr/bin/node"},
		{"a script from Windows", "hookarr-target-x", []byte("#!/bin/sh\r\nexit\r\n"), 0o755, `run sed -i 's/\r$//' DIR/hookarr-target-x`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.Chmod(dir, 0o755))
			path := filepath.Join(dir, c.name)
			require.NoError(t, os.WriteFile(path, c.data, 0o600))
			require.NoError(t, os.Chmod(path, c.mode))
			requireUnfit(t, path, c.says)
		})
	}
	t.Run("a directory", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "hookarr-target-x")
		require.NoError(t, os.Mkdir(path, 0o755))
		requireUnfit(t, path, "is a directory: give the binary that is in it")
	})
	t.Run("not there", func(t *testing.T) {
		t.Parallel()
		requireUnfit(t, filepath.Join(t.TempDir(), "hookarr-target-x"), "does not exist: give the path of the plugin's binary")
	})
	t.Run("a link out of the directory", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "hookarr-target-x")
		require.NoError(t, os.Symlink(filepath.Join(os.Getenv(builtEnv), "faulty"), path))
		requireUnfit(t, path, "a link that leads out of the plugin directory: run install -m 0755")
	})
}

// requireUnfit wants the row of the file to fail alone, and all that need a process to be
// skipped.
func requireUnfit(t *testing.T, path, says string) {
	t.Helper()
	r := runCheck(t, path, Options{})
	rows, details := failed(r)
	require.Equal(t, []string{"file"}, rows, details)
	require.Contains(t, replace(details, filepath.Dir(path), "DIR"), says)
	for _, row := range r.Rows[1:] {
		require.Equal(t, Skipped, row.Result, row.Check)
		require.Equal(t, "the file cannot be started", row.Detail)
	}
}

// TestScriptIsStarted: a plugin need not be a binary. This one fails at its handshake.
func TestScriptIsStarted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hookarr-target-x")
	require.NoError(t, os.Chmod(filepath.Dir(path), 0o755))
	// A process that another test forks meanwhile would inherit the file open for writing, which
	// cannot be executed.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte("#!/bin/sh\necho only Hookarr starts this >&2\nexit 3\n"), 0o600)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)
	require.NoError(t, os.Chmod(path, 0o755))
	windows := patient()
	windows.Exit = time.Minute
	r := runCheck(t, path, Options{Windows: windows})
	rows, details := failed(r)
	require.Equal(t, []string{"handshake"}, rows, details)
	require.Contains(t, details, "it ended: exit status 3: only Hookarr starts this")
	require.Equal(t, Row{"by-hand", OK, `exit status 3, and says "only Hookarr starts this"`, nil}, r.Rows[1])
}

// TestChaosFails: the plugin of package pluginhost's tests fails what it is built to fail.
func TestChaosFails(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		// Its source makes an event of anything.
		"target-chaos": "", "source-chaos": "bad-input",
		"target-exits": "handshake", "target-prints": "by-hand handshake", "target-speaks7": "by-hand handshake",
		"target-elsewhere": "by-hand handshake", "target-oldcore": "by-hand handshake", "target-panics": "handshake",
		"target-misbuilt": "handshake", "target-liar": "describe", "target-turncoat": "describe",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := runCheck(t, install(t, "chaos", "hookarr-"+name), Options{})
			rows, details := failed(r)
			require.Equal(t, want, words(rows), details)
		})
	}
}
