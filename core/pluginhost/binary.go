package pluginhost

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hookarr/hookarr/core/shell"
	"github.com/hookarr/hookarr/sdk/host"
)

// binaryPattern is what plugin binaries are called.
var binaryPattern = regexp.MustCompile(`^hookarr-(source|target)-([a-z0-9][a-z0-9-]{0,39})$`)

// Binary is a plugin found in a directory.
type Binary struct {
	Kind host.Kind
	// Name is the plugin's: discord for hookarr-target-discord.
	Name string
	// Path is where the file is.
	Path string
	// Err says why the file will not be launched and what mends it; nil when it
	// may be.
	Err error
	// Shadowed are the files of the same name in later directories, which are never
	// launched.
	Shadowed []string
}

// Discover lists the plugin binaries of directories by name; of those with the same
// name, the one in the first directory. Other files are passed over. An unsafe binary is
// listed with its Err set; an unsafe directory makes every binary in it unsafe.
func Discover(dirs ...string) ([]Binary, error) {
	var found []Binary
	for _, dir := range dirs {
		more, err := discover(dir)
		if err != nil {
			return nil, err
		}
		for _, b := range more {
			same := func(f Binary) bool { return f.Kind == b.Kind && f.Name == b.Name }
			if i := slices.IndexFunc(found, same); i >= 0 {
				found[i].Shadowed = append(found[i].Shadowed, b.Path)
			} else {
				found = append(found, b)
			}
		}
	}
	slices.SortFunc(found, func(a, b Binary) int {
		return strings.Compare(binaryName(a.Kind, a.Name), binaryName(b.Kind, b.Name))
	})
	return found, nil
}

// BinaryAt returns the plugin binary that a file is. The error says what mends its name; an
// unsafe binary has its Err set, as Discover has it.
func BinaryAt(path string) (Binary, error) {
	dir, name := filepath.Split(path)
	m := binaryPattern.FindStringSubmatch(name)
	if _, err := os.Stat(path); m == nil && err != nil {
		return Binary{}, fmt.Errorf("find plugin: %w", err)
	} else if m == nil {
		return Binary{}, misnamed(path)
	}
	b := Binary{Kind: host.Kind(m[1]), Name: m[2], Path: path}
	f, err := openBinary(cmp.Or(dir, "."), name)
	if err == nil {
		_ = f.Close()
	}
	b.Err = err
	return b, nil
}

// misnamed says what mends the name of a file that is there.
func misnamed(path string) error {
	if plugins := SharedBy(path); len(plugins) > 0 {
		return fmt.Errorf("%s is the file of %d plugins, whose names say which: give one of them, such as %s", path, len(plugins), plugins[0])
	}
	return fmt.Errorf("%s %s: run mv %s %s/hookarr-target-NAME, or -source-NAME", path, cmp.Or(ignoredFor(path), notNamed),
		shell.Command(path), shell.Command(filepath.Dir(path)))
}

// SharedBy returns the paths of the plugins beside a file that are links to it, which is how
// one file has several plugins. It returns none for a file that is a plugin by its own name.
func SharedBy(path string) []string {
	info, err := os.Stat(path)
	if err != nil || binaryPattern.MatchString(filepath.Base(path)) {
		return nil
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var plugins []string
	for _, entry := range entries {
		plugin := filepath.Join(filepath.Dir(path), entry.Name())
		if !binaryPattern.MatchString(entry.Name()) {
			continue
		}
		if other, err := os.Stat(plugin); err == nil && os.SameFile(info, other) {
			plugins = append(plugins, plugin)
		}
	}
	return plugins
}

// dirOf returns the first directory that has a file, or may have one that cannot be seen;
// when none has, the first.
func dirOf(dirs []string, file string) string {
	for _, dir := range dirs {
		if _, err := os.Lstat(filepath.Join(dir, file)); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
	}
	if len(dirs) == 0 {
		return ""
	}
	return dirs[0]
}

func discover(dir string) ([]Binary, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read plugin directory: %w", err)
	}
	var found []Binary
	for _, entry := range entries {
		m := binaryPattern.FindStringSubmatch(entry.Name())
		if m == nil {
			continue
		}
		b := Binary{Kind: host.Kind(m[1]), Name: m[2], Path: filepath.Join(dir, entry.Name())}
		f, err := openBinary(dir, entry.Name())
		if err == nil {
			_ = f.Close()
		}
		b.Err = err
		found = append(found, b)
	}
	return found, nil
}

// Ignored is an entry of a plugin directory that looks like a plugin's binary and is
// none by its name.
type Ignored struct {
	Path string
	// Reason says why, and what to do.
	Reason string
}

// notNamed is said of a file that is called otherwise than plugins are.
const notNamed = "is no plugin by its name: call it hookarr-source-NAME or hookarr-target-NAME, with a NAME of 1 to 40 of a-z, 0-9 and -, if it is one"

// FindIgnored lists what Discover passes over and somebody may have meant as a plugin:
// whatever is called hookarr-…, and files that can be executed, but for those that plugins
// are links to.
func FindIgnored(dirs ...string) ([]Ignored, error) {
	var found []Ignored
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("read plugin directory: %w", err)
		}
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			if reason := ignoredFor(path); reason != "" && len(SharedBy(path)) == 0 {
				found = append(found, Ignored{Path: path, Reason: reason})
			}
		}
	}
	return found, nil
}

// ignoredFor says why a file is none of a plugin, or nothing if it is one or nobody can
// have meant it as one.
func ignoredFor(path string) string {
	name := filepath.Base(path)
	info, err := os.Stat(path)
	executable := err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
	switch {
	case binaryPattern.MatchString(name), !executable && !strings.HasPrefix(name, "hookarr-"):
		return ""
	case err == nil && info.IsDir():
		return "is a directory: put the binary that is in it beside it"
	case errors.Is(err, fs.ErrNotExist):
		return "is a link to something that is not there: remove it, or install the binary under a plugin's name"
	default:
		return notNamed
	}
}

// Checksum returns the SHA-256 of the file in hexadecimal. An unsafe file has none.
func (b Binary) Checksum() (string, error) {
	f, err := openBinary(filepath.Split(b.Path))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	return checksum(f)
}

// checksum hashes a file from its beginning.
func checksum(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("hash %s: %w", f.Name(), err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hash %s: %w", f.Name(), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// binaryName is what a plugin's binary is called.
func binaryName(kind host.Kind, name string) string {
	return "hookarr-" + string(kind) + "-" + name
}

// openBinary opens a plugin's binary for launching, or says why it is not safe to
// run and which command mends it. Everything is judged on what was opened, so that
// nothing can be put in its place afterwards.
func openBinary(dir, name string) (*os.File, error) {
	path := filepath.Join(dir, name)
	root, err := os.OpenRoot(filepath.Clean(dir))
	if err != nil {
		return nil, fmt.Errorf("open plugin directory: %w (set plugins.dir to the directory of the plugin binaries)", err)
	}
	defer func() { _ = root.Close() }()
	info, err := root.Stat(".")
	if err != nil {
		return nil, fmt.Errorf("examine plugin directory: %w", err)
	}
	if err := checkOwnership(dir, info); err != nil {
		return nil, fmt.Errorf("plugin directory %w", err)
	}

	// Looked at before it is opened: opening a pipe would wait for its other end.
	if info, err = root.Stat(name); err != nil {
		return nil, explainStat(root, path, name, err)
	}
	if err := checkBinary(path, info); err != nil {
		return nil, fmt.Errorf("plugin %w", err)
	}
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("plugin %s cannot be read by this user: run %s", path, shell.Command("chmod", "a+rx", path))
	}
	if err != nil {
		return nil, fmt.Errorf("open plugin: %w", err)
	}
	if info, err = f.Stat(); err == nil {
		err = checkBinary(path, info)
	}
	if err == nil && noExec(f) {
		err = fmt.Errorf("%s is on a file system that runs no programs (mounted noexec): mount it without noexec, or put the plugin into another directory and that into plugins.dir", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("plugin %w", err)
	}
	return f, nil
}

// explainStat tells a missing binary from a link that leads nowhere or must not be
// followed.
func explainStat(root *os.Root, path, name string, err error) error {
	link, lerr := root.Readlink(name)
	if errors.Is(err, fs.ErrNotExist) && lerr != nil {
		return fmt.Errorf("plugin %s does not exist: install the binary there, or set plugins.dir to the directory that has it", path)
	}
	if lerr != nil {
		return fmt.Errorf("examine plugin: %w", err)
	}
	// Links to a link that leads out are mended together, by mending that one.
	broken := path
	if next, err := root.Readlink(link); err == nil {
		link, broken = next, filepath.Join(filepath.Dir(path), link)
	}
	inside := filepath.IsLocal(link)
	if !filepath.IsAbs(link) {
		link = filepath.Join(filepath.Dir(path), link)
	}
	_, err = os.Stat(link)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("plugin %s is a link that leads out of the plugin directory: run %s", path,
			shell.Command("install", "-m", "0755", link, broken))
	case inside:
		return fmt.Errorf("plugin %s is a link to %s, which does not exist: install that file, or the binary in the link's place", path, link)
	default:
		return fmt.Errorf("plugin %s is a link to %s, which does not exist: install the binary in the place of %s", path, link, broken)
	}
}

// checkBinary judges a plugin's file.
func checkBinary(path string, info fs.FileInfo) error {
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return fmt.Errorf("%s is not a regular file: remove it and install the binary there", path)
	case mode&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return fmt.Errorf("%s runs as another user or group (setuid or setgid): run %s", path, shell.Command("chmod", "ug-s", path))
	case mode.Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable: run %s", path, shell.Command("chmod", "a+rx", path))
	}
	return checkOwnership(path, info)
}

// checkOwnership refuses what somebody else than root and the user of this process
// could change.
func checkOwnership(path string, info fs.FileInfo) error {
	if uid, known := owner(info); known && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, who could replace it: run %s", path, uid,
			shell.Command("chown", strconv.Itoa(os.Geteuid()), path))
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("%s can be changed by others (mode %04o): run %s", path, perm, shell.Command("chmod", "go-w", path))
	}
	return nil
}
