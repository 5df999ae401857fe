package deb

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// template is a small Debian, which each test copies.
var template = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(shared, "debian")
	// The mirror that this machine has; another release does as well.
	mirror := "http://deb.debian.org/debian bookworm"
	out, err := exec.Command("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("ask apt for its mirror: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) == 4 && f[2] == "Debian" && f[3] == "main" && !strings.Contains(f[1], "-") {
			mirror = f[0] + " " + f[1]
			break
		}
	}
	cmd := exec.Command("mmdebstrap", "--mode=root", "--variant=essential", "--include=adduser", "", dir, "deb "+mirror+" main")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return dir, nil
})

// debian is a root directory with a Debian in it, in which no systemd runs.
type debian struct {
	*testing.T
	root string
}

func newDebian(t *testing.T) debian {
	t.Helper()
	from, err := template()
	require.NoError(t, err)
	root := filepath.Join(t.TempDir(), "root")
	output(t, "cp", "--archive", from, root)
	return debian{T: t, root: root}
}

// args is how a command is run in it as a user, with the /proc of its processes alone. They end
// when unshare does: becoming another user forgets that signal, so that setpriv asks for it anew.
func (d debian) args(user string, env []string, command ...string) []string {
	args := []string{
		"--mount", "--pid", "--fork", "--kill-child", "--mount-proc=" + filepath.Join(d.root, "proc"),
		"chroot", d.root, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--pdeathsig", "KILL",
		"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive",
	}
	return append(append(args, env...), command...)
}

// run runs a command in it as root.
func (d debian) run(command ...string) string {
	d.Helper()
	return output(d.T, "unshare", d.args("root", nil, command...)...)
}

func (d debian) path(name string) string { return filepath.Join(d.root, name) }

// edit replaces texts in a file.
func (d debian) edit(name string, replacements ...string) {
	d.Helper()
	content, err := os.ReadFile(d.path(name))
	require.NoError(d, err)
	for i := 0; i < len(replacements); i += 2 {
		require.Contains(d, string(content), replacements[i])
	}
	edited := strings.NewReplacer(replacements...).Replace(string(content))
	require.NoError(d, os.WriteFile(d.path(name), []byte(edited), 0)) // it is there and keeps its mode
}

// stat returns modes and owners as the system in it knows them.
func (d debian) stat(names ...string) string {
	d.Helper()
	return d.run(append([]string{"stat", "--format=%a %U:%G %n"}, names...)...)
}

// freeAddr is one where nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}
