package pluginhost

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/host"
)

// pluginDir returns an empty directory that is safe under any umask.
func pluginDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func writeBinary(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	syscall.ForkLock.RLock() // see put
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path, []byte("binary of "+filepath.Base(path)), 0o600))
	require.NoError(t, os.Chmod(path, mode))
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	for _, name := range []string{
		"hookarr-target-discord", "hookarr-source-radarr", "hookarr-target-my-own-2",
		"hookarr", "hookarr-target-", "hookarr-target-UPPER", "hookarr-sink-x", "hookarr-target-x.bak", "README.md",
	} {
		writeBinary(t, filepath.Join(dir, name), 0o755)
	}
	writeBinary(t, filepath.Join(dir, "hookarr-target-unsafe"), 0o777)

	found, err := Discover(dir)
	require.NoError(t, err)
	require.Len(t, found, 4)
	require.Equal(t, Binary{Kind: host.KindSource, Name: "radarr", Path: filepath.Join(dir, "hookarr-source-radarr")}, found[0])
	require.Equal(t, "discord", found[1].Name)
	require.Equal(t, "my-own-2", found[2].Name)
	require.Equal(t, host.KindTarget, found[2].Kind)
	require.Equal(t, "unsafe", found[3].Name)
	require.ErrorContains(t, found[3].Err, "run chmod go-w ")
}

// TestFindIgnored: what may be meant as a plugin and is none is listed with why.
func TestFindIgnored(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	for name, mode := range map[string]fs.FileMode{
		"README.md": 0o644, "plugins.lock": 0o644, "target-discord": 0o755, "hookarr-target-Discord": 0o755,
		"hookarr-target-x.sha256": 0o644, "hookarr-target-fine": 0o755, "hookarr-target-noexec": 0o644,
	} {
		writeBinary(t, filepath.Join(dir, name), mode)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "hookarr-target-y_1.0"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "old"), 0o755))
	require.NoError(t, os.Symlink("gone", filepath.Join(dir, "hookarr-target-Z")))

	ignored, err := FindIgnored(dir)
	require.NoError(t, err)
	reasons := map[string]string{}
	for _, i := range ignored {
		reasons[filepath.Base(i.Path)], _, _ = strings.Cut(i.Reason, ":")
	}
	require.Equal(t, map[string]string{
		"target-discord": "is no plugin by its name", "hookarr-target-Discord": "is no plugin by its name",
		"hookarr-target-x.sha256": "is no plugin by its name", "hookarr-target-y_1.0": "is a directory",
		"hookarr-target-Z": "is a link to something that is not there",
	}, reasons, "the rest is no binary, or is listed with what is wrong with it")
	_, err = FindIgnored(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestFileOfSeveralPlugins is none by its own name, and nothing that is ignored.
func TestFileOfSeveralPlugins(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	shared := filepath.Join(dir, "hookarr-plugins")
	writeBinary(t, shared, 0o755)
	writeBinary(t, filepath.Join(dir, "hookarr-target-own"), 0o755)
	links := []string{filepath.Join(dir, "hookarr-source-radarr"), filepath.Join(dir, "hookarr-target-discord")}
	for _, link := range links {
		require.NoError(t, os.Symlink("hookarr-plugins", link))
	}

	ignored, err := FindIgnored(dir)
	require.NoError(t, err)
	require.Empty(t, ignored)
	require.Equal(t, links, SharedBy(shared))
	for _, plugin := range append(links, filepath.Join(dir, "hookarr-target-own"), filepath.Join(dir, "none")) {
		require.Empty(t, SharedBy(plugin))
	}
	_, err = BinaryAt(shared)
	require.EqualError(t, err, shared+" is the file of 2 plugins, whose names say which: give one of them, such as "+links[0])
	b, err := BinaryAt(links[1])
	require.NoError(t, err)
	require.Equal(t, Binary{Kind: host.KindTarget, Name: "discord", Path: links[1]}, b)

	found, err := Discover(dir)
	require.NoError(t, err)
	require.Len(t, found, 3)
	lock := filepath.Join(dir, "plugins.lock")
	require.NoError(t, WriteLock(lock, found))
	pins, err := readLock(lock)
	require.NoError(t, err)
	require.Len(t, pins, 3, "by the plugins' names")
	require.Equal(t, pins["hookarr-source-radarr"], pins["hookarr-target-discord"])

	for _, link := range links {
		require.NoError(t, os.Remove(link))
	}
	ignored, err = FindIgnored(dir)
	require.NoError(t, err)
	require.Equal(t, []Ignored{{Path: shared, Reason: notNamed}}, ignored, "nothing is a link to it any more")
}

func TestTheFirstDirectoryWins(t *testing.T) {
	t.Parallel()
	own, shipped := pluginDir(t), pluginDir(t)
	writeBinary(t, filepath.Join(own, "hookarr-target-discord"), 0o755)
	writeBinary(t, filepath.Join(own, "hookarr-target-mine"), 0o755)
	writeBinary(t, filepath.Join(shipped, "hookarr-target-discord"), 0o755)
	writeBinary(t, filepath.Join(shipped, "hookarr-source-radarr"), 0o755)

	found, err := Discover(own, shipped)
	require.NoError(t, err)
	require.Equal(t, []Binary{
		{Kind: host.KindSource, Name: "radarr", Path: filepath.Join(shipped, "hookarr-source-radarr")},
		{
			Kind: host.KindTarget, Name: "discord", Path: filepath.Join(own, "hookarr-target-discord"),
			Shadowed: []string{filepath.Join(shipped, "hookarr-target-discord")},
		},
		{Kind: host.KindTarget, Name: "mine", Path: filepath.Join(own, "hookarr-target-mine")},
	}, found)

	dirs := []string{filepath.Join(own, "none"), own, shipped}
	require.Equal(t, own, dirOf(dirs, "hookarr-target-discord"), "what is listed is what is launched")
	require.Equal(t, shipped, dirOf(dirs, "hookarr-source-radarr"))
	require.Equal(t, dirs[0], dirOf(dirs, "hookarr-target-nowhere"))
	require.Empty(t, dirOf(nil, "hookarr-target-discord"))

	_, err = Discover(dirs...)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestDiscoverWithoutDirectory(t *testing.T) {
	t.Parallel()
	_, err := Discover(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestOpenBinaryRefuses: every refusal names the file and the command that mends
// it.
func TestOpenBinaryRefuses(t *testing.T) {
	t.Parallel()
	const name = "hookarr-target-x"
	tests := map[string]struct {
		make func(t *testing.T, dir, path string)
		want func(dir, path string) string
	}{
		"missing": {
			make: func(*testing.T, string, string) {},
			want: func(_, path string) string { return "plugin " + path + " does not exist: install the binary there" },
		},
		"group-writable": {
			make: func(t *testing.T, _, path string) { t.Helper(); writeBinary(t, path, 0o775) },
			want: func(_, path string) string {
				return "plugin " + path + " can be changed by others (mode 0775): run chmod go-w " + path
			},
		},
		"world-writable": {
			make: func(t *testing.T, _, path string) { t.Helper(); writeBinary(t, path, 0o757) },
			want: func(_, path string) string {
				return "plugin " + path + " can be changed by others (mode 0757): run chmod go-w " + path
			},
		},
		"setuid": {
			make: func(t *testing.T, _, path string) { t.Helper(); writeBinary(t, path, 0o755|fs.ModeSetuid) },
			want: func(_, path string) string {
				return "plugin " + path + " runs as another user or group (setuid or setgid): run chmod ug-s " + path
			},
		},
		"setgid": {
			make: func(t *testing.T, _, path string) { t.Helper(); writeBinary(t, path, 0o755|fs.ModeSetgid) },
			want: func(_, path string) string {
				return "plugin " + path + " runs as another user or group (setuid or setgid): run chmod ug-s " + path
			},
		},
		"not executable": {
			make: func(t *testing.T, _, path string) { t.Helper(); writeBinary(t, path, 0o644) },
			want: func(_, path string) string { return "plugin " + path + " is not executable: run chmod a+rx " + path },
		},
		"a directory": {
			make: func(t *testing.T, _, path string) { t.Helper(); require.NoError(t, os.Mkdir(path, 0o755)) },
			want: func(_, path string) string { return "plugin " + path + " is not a regular file" },
		},
		"a pipe": {
			make: func(t *testing.T, _, path string) { t.Helper(); require.NoError(t, syscall.Mkfifo(path, 0o755)) },
			want: func(_, path string) string { return "plugin " + path + " is not a regular file" },
		},
		"a link that leads outside": {
			make: func(t *testing.T, dir, path string) {
				t.Helper()
				writeBinary(t, dir+"-elsewhere", 0o755)
				require.NoError(t, os.Symlink("../"+filepath.Base(dir)+"-elsewhere", path))
			},
			want: func(dir, path string) string {
				return "plugin " + path + " is a link that leads out of the plugin directory: run install -m 0755 " + dir + "-elsewhere " + path
			},
		},
		"a link that leads nowhere": {
			make: func(t *testing.T, _, path string) { t.Helper(); require.NoError(t, os.Symlink("gone", path)) },
			want: func(dir, path string) string {
				return "plugin " + path + " is a link to " + dir + "/gone, which does not exist: install that file, or the binary in the link's place"
			},
		},
		"a link that leads nowhere outside": {
			make: func(t *testing.T, _, path string) { t.Helper(); require.NoError(t, os.Symlink("/nowhere/x", path)) },
			want: func(_, path string) string {
				return "plugin " + path + " is a link to /nowhere/x, which does not exist: install the binary in the place of " + path
			},
		},
		"a link to a link that leads outside": {
			make: func(t *testing.T, dir, path string) {
				t.Helper()
				writeBinary(t, dir+"-elsewhere", 0o755)
				require.NoError(t, os.Symlink(dir+"-elsewhere", filepath.Join(dir, "shared")))
				require.NoError(t, os.Symlink("shared", path))
			},
			want: func(dir, path string) string {
				return "plugin " + path + " is a link that leads out of the plugin directory: run install -m 0755 " + dir + "-elsewhere " + dir + "/shared"
			},
		},
		"directory that others can change": {
			make: func(t *testing.T, dir, path string) {
				t.Helper()
				writeBinary(t, path, 0o755)
				require.NoError(t, os.Chmod(dir, 0o777))
			},
			want: func(dir, _ string) string {
				return "plugin directory " + dir + " can be changed by others (mode 0777): run chmod go-w " + dir
			},
		},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "plugins")
			require.NoError(t, os.Mkdir(dir, 0o755))
			require.NoError(t, os.Chmod(dir, 0o755))
			path := filepath.Join(dir, name)
			test.make(t, dir, path)
			f, err := openBinary(dir, name)
			require.Nil(t, f)
			require.ErrorContains(t, err, test.want(dir, path))
		})
	}
}

func TestOpenBinaryFollowsLinksInside(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t)
	writeBinary(t, filepath.Join(dir, "hookarr-target-x-1.2.3"), 0o755)
	require.NoError(t, os.Symlink("hookarr-target-x-1.2.3", filepath.Join(dir, "hookarr-target-x")))
	f, err := openBinary(dir, "hookarr-target-x")
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// ownedBy is a file of another user, which only root could make.
type ownedBy struct {
	fs.FileInfo
	uid uint32
}

func (o ownedBy) Sys() any { return &syscall.Stat_t{Uid: o.uid} }

func TestCheckOwnershipRefusesForeignFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(pluginDir(t), "hookarr-target-it's")
	writeBinary(t, path, 0o755)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, checkOwnership(path, ownedBy{info, 0}))
	require.NoError(t, checkOwnership(path, ownedBy{info, uint32(os.Geteuid())}))
	err = checkOwnership(path, ownedBy{info, 54321})
	require.ErrorContains(t, err, "belongs to user 54321, who could replace it: run chown "+strconv.Itoa(os.Geteuid())+
		` '`+filepath.Dir(path)+`/hookarr-target-it'\''s'`)
}
