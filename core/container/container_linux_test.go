package container_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/container"
)

// roleVariable has this program be a process of a container.
const roleVariable = "CONTAINER_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	default:
		if err := contained(); err != nil {
			say("%v", err)
			os.Exit(1)
		}
	}
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }

// contained is what serves in a container, and says who it is.
func contained() error {
	c, err := container.Read(os.Getenv)
	if err == nil {
		err = c.HandOver(context.Background(), func(line string) { say("%s", line) })
	}
	if err == nil {
		err = c.Become()
	}
	if err == nil {
		err = errors.Join(c.Check("hookarr.yaml", "data"), c.CheckDatabase(filepath.Join(c.Volume, "data/hookarr.db")))
	}
	if err != nil {
		return err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return err
	}
	noNew, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	mask := unix.Umask(0)
	say("user %d group %d groups %v umask %03o dumpable %d no new privileges %d args %v",
		os.Getuid(), os.Getgid(), groups, mask, dumpable, noNew, os.Args[1:])
	return err
}

// program is a copy of this program that every user can run.
func program(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root becomes another user")
	}
	from, err := os.Executable()
	require.NoError(t, err)
	in, err := os.Open(from)
	require.NoError(t, err)
	defer func() { require.NoError(t, in.Close()) }()
	dir := t.TempDir()
	for _, at := range []string{dir, filepath.Dir(dir)} { // which are the test's own
		require.NoError(t, os.Chmod(at, 0o755))
	}
	path := filepath.Join(dir, "program")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, errors.Join(err, out.Chmod(0o755), out.Close()))
	return path
}

// start runs the program as it is started in a container, and returns what it says.
func start(t *testing.T, program, volume string, as *syscall.Credential, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "serve", "--init")
	cmd.Env = append([]string{roleVariable + "=1", "HOOKARR_VOLUME=" + volume, "UMASK=027"}, env...)
	cmd.Dir = filepath.Dir(program)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	said, _ := cmd.CombinedOutput() // it says what is wrong
	return string(said)
}

func chown(t *testing.T, uid, gid int, paths ...string) {
	t.Helper()
	for _, path := range paths {
		require.NoError(t, os.Lchown(path, uid, gid))
	}
}

func ownerOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	st, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	return fmt.Sprintf("%d:%d", st.Uid, st.Gid)
}

// TestBecome: of root nothing is left, and the volume is the user's, links and all, and
// nothing that they lead to.
func TestBecome(t *testing.T) {
	t.Parallel()
	p := program(t)
	volume, outside := t.TempDir(), t.TempDir()
	file := filepath.Join(outside, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(volume, "data", "deep"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(volume, "data", "deep", "secret"), nil, 0o600))
	require.NoError(t, os.Symlink(file, filepath.Join(volume, "to-file")))
	require.NoError(t, os.Symlink(outside, filepath.Join(volume, "to-dir")))
	chown(t, 5, 5, volume, filepath.Join(volume, "data"), filepath.Join(volume, "data", "deep"))
	const is = "user 99 group 100 groups [] umask 027 dumpable 1 no new privileges 1 args [serve --init]\n"

	root := &syscall.Credential{Groups: []uint32{4, 27}}
	require.Equal(t, "giving 6 files in "+volume+" to user 99 and group 100\n"+is, start(t, p, volume, root, "PUID=99", "PGID=100"))
	require.NoError(t, filepath.WalkDir(volume, func(path string, _ fs.DirEntry, err error) error {
		require.NoError(t, err)
		require.Equal(t, "99:100", ownerOf(t, path), path)
		return nil
	}))
	require.Equal(t, "0:0", ownerOf(t, file))
	require.Equal(t, "0:0", ownerOf(t, outside))
	// What is right stays as it is, and one that is not is found.
	require.Equal(t, is, start(t, p, volume, root, "PUID=99", "PGID=100"))
	chown(t, 0, 0, filepath.Join(volume, "data", "deep", "secret"))
	require.Equal(t, "giving 1 file in "+volume+" to user 99 and group 100\n"+is, start(t, p, volume, root, "PUID=99", "PGID=100"))

	// Whom user: names stays who he is, whatever PUID says.
	require.Equal(t, "user 99 group 100 groups [] umask 027 dumpable 1 no new privileges 0 args [serve --init]\n",
		start(t, p, volume, &syscall.Credential{Uid: 99, Gid: 100}, "PUID=1000", "PGID=1000"))
}

// TestMountsKeepTheirOwner, although they are of the same file system, and so does a file with
// another name elsewhere.
func TestMountsKeepTheirOwner(t *testing.T) {
	t.Parallel()
	p := program(t)
	volume, library := t.TempDir(), t.TempDir()
	film, linked := filepath.Join(library, "film"), filepath.Join(volume, "linked")
	require.NoError(t, os.WriteFile(film, nil, 0o600))
	require.NoError(t, os.Link(film, linked))
	media := filepath.Join(volume, `my "media"`)
	require.NoError(t, os.Mkdir(media, 0o755))
	if err := unix.Mount(library, media, "", unix.MS_BIND, ""); err != nil {
		t.Skip("nothing can be mounted here: " + err.Error())
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(media, unix.MNT_DETACH)) })
	chown(t, 5, 5, volume, library, film)

	require.Contains(t, start(t, p, volume, &syscall.Credential{}, "PUID=99", "PGID=100"), "giving 1 file in "+volume+" to user 99 and group 100\n")
	require.Equal(t, "99:100", ownerOf(t, volume))
	for _, path := range []string{library, film, media, linked} {
		require.Equal(t, "5:5", ownerOf(t, path), path)
	}
}

// TestCheck: what a user may not do is told with the command for the host.
func TestCheck(t *testing.T) {
	t.Parallel()
	p := program(t)
	user := &syscall.Credential{Uid: 99, Gid: 100}
	const mend = ": run on the host: sudo chown -R 99:100 /path/of/your/config/volume"
	volume := t.TempDir()
	at := func(name string) string { return filepath.Join(volume, name) }
	require.NoError(t, os.Chmod(volume, 0o755))
	require.Contains(t, start(t, p, volume, user), "user 99 and group 100 may not write to "+volume+", which belongs to user 0 and group 0 (mode 0755)"+mend)
	chown(t, 99, 100, volume)
	require.NoError(t, os.Mkdir(at("lost+found"), 0o700))
	require.Contains(t, start(t, p, volume, user), "user 99 group 100 ")

	require.NoError(t, os.WriteFile(at("hookarr.yaml"), nil, 0o600))
	require.Contains(t, start(t, p, volume, user), "may not read "+at("hookarr.yaml")+", which belongs to user 0 and group 0 (mode 0600)"+mend)
	require.NoError(t, os.Chmod(at("hookarr.yaml"), 0o644))
	require.Contains(t, start(t, p, volume, user), "user 99 group 100 ", "it need not be written")

	require.NoError(t, os.Mkdir(at("data"), 0o700))
	require.Contains(t, start(t, p, volume, user), "may not look into "+at("data")+", which belongs to user 0 and group 0 (mode 0700)"+mend)
	chown(t, 99, 100, at("data"))
	require.NoError(t, os.WriteFile(at("data/hookarr.db-wal"), nil, 0o644))
	require.Contains(t, start(t, p, volume, user), "may not write to "+at("data/hookarr.db-wal")+", which belongs to user 0 and group 0 (mode 0644)"+mend)
	chown(t, 99, 100, at("data/hookarr.db-wal"))
	require.NoError(t, os.Chmod(at("data"), 0o500))
	require.Contains(t, start(t, p, volume, user), "user 99 may not write to "+at("data")+", which is its own (mode 0500): run on the host: sudo chmod -R u+rwX ")
	require.Contains(t, start(t, p, at("nowhere"), user), "there is no "+at("nowhere")+": mount a volume there")
}

// TestStaysRoot: nobody is named.
func TestStaysRoot(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root stays root")
	}
	require.True(t, container.Container{Volume: "/config"}.StaysRoot())
	require.False(t, container.Container{Volume: "/config", UID: 99, GID: 100}.StaysRoot())
	require.False(t, container.Container{}.StaysRoot())
	volume := t.TempDir()
	chown(t, 99, 100, volume)
	require.True(t, container.Container{Volume: volume, UID: 99, GID: 100}.HandedOver())
	require.False(t, container.Container{Volume: volume, UID: 1000, GID: 1000}.HandedOver())
	require.True(t, strings.HasPrefix(ownerOf(t, volume), "99:"))
}
