package pluginhost

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/sdk/host"
)

// maxLock bounds the lock file, in bytes: some ten thousand binaries.
const maxLock = 1 << 20

// WriteLock pins the binaries: from then on only these bytes are launched. The file
// has the format of sha256sum, and sha256sum -c in the plugin directory checks it.
// An unsafe binary is not pinned but is an error.
func WriteLock(file string, binaries []Binary) error {
	var buf bytes.Buffer
	for _, b := range binaries {
		sum, err := b.Checksum()
		if err != nil {
			return fmt.Errorf("pin %s: %w", binaryName(b.Kind, b.Name), err)
		}
		fmt.Fprintf(&buf, "%s  %s\n", sum, filepath.Base(b.Path))
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".plugins.lock-")
	if err != nil {
		return fmt.Errorf("write plugin lock: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(buf.Bytes())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write plugin lock %s: %w", file, err)
	}
	return nil
}

// verifyLock compares a binary's checksum with the lock file. Without a lock file
// everything is let through.
func verifyLock(file, got, name string) error {
	if file == "" {
		return nil
	}
	pins, err := readLock(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read plugin lock: %w", err)
	}
	want, ok := pins[name]
	if !ok {
		return fmt.Errorf("plugin %s is not pinned in %s: if you trust it, run hookarr plugins lock", name, file)
	}
	if got != want {
		return fmt.Errorf("plugin %s has SHA-256 %s but %s pins %s: if you replaced it yourself, run hookarr plugins lock", name, got, file, want)
	}
	return nil
}

// readLock returns the checksum of each file name. It fails with fs.ErrNotExist only where
// there is nothing at all: a lock that was there and leads nowhere must not pin nothing.
func readLock(file string) (map[string]string, error) {
	if _, err := os.Lstat(file); err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is a link that leads nowhere: run %s, then hookarr plugins lock", file, shell.Command("rm", file))
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkOwnership(file, info), checkLockDir(filepath.Dir(file)), checkLockDir(filepath.Dir(real))); err != nil {
		return nil, err
	}
	if info.Size() > maxLock {
		return nil, fmt.Errorf("%s has more than %d bytes: run hookarr plugins lock", file, maxLock)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pins, err := parseLock(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: run hookarr plugins lock", file, err)
	}
	return pins, nil
}

// checkLockDir refuses a directory in which somebody else could put another lock in the
// place of the one that is there. Where the sticky bit is set, as in /tmp, nobody can.
func checkLockDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return nil
	}
	return checkOwnership(dir, info)
}

// parseLock reads lines of a SHA-256, two spaces (or a space and an asterisk, as
// sha256sum writes for binary mode) and a file name.
func parseLock(data []byte) (map[string]string, error) {
	pins := make(map[string]string)
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		sum, name, ok := strings.Cut(line, " ")
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 || !ok || len(name) < 2 || (name[0] != ' ' && name[0] != '*') {
			return nil, fmt.Errorf("line %d: want a SHA-256 in hexadecimal, two spaces and a file name", n)
		}
		name = name[1:]
		if _, twice := pins[name]; twice {
			return nil, fmt.Errorf("line %d: %s is pinned twice", n, name)
		}
		pins[name] = strings.ToLower(sum)
	}
	return pins, lines.Err()
}

// Pin is what a lock file says of a plugin.
type Pin string

// What a lock file may say.
const (
	PinNone       Pin = "none"       // there is no lock file
	PinPinned     Pin = "pinned"     // these bytes are pinned
	PinMissing    Pin = "unpinned"   // the plugin is not in the file, and is not launched again
	PinDiffers    Pin = "differs"    // other bytes are pinned, and these are not launched again
	PinUnreadable Pin = "unreadable" // nothing is launched
)

// Pinned returns what a lock file says now of a plugin with a checksum.
func Pinned(file string, kind host.Kind, plugin, sum string) Pin {
	pins, err := readLock(file)
	want, ok := pins[binaryName(kind, plugin)]
	switch {
	case file == "", errors.Is(err, fs.ErrNotExist):
		return PinNone
	case err != nil:
		return PinUnreadable
	case !ok:
		return PinMissing
	case want != sum:
		return PinDiffers
	default:
		return PinPinned
	}
}
