package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// contain makes of the directory $0 the root of a container with the volume $1, which is read-only, and
// runs the rest as the user $2 and the process 1 of a namespace. /tmp is as tmpfs: has it.
const contain = `root=$0 volume=$1 uid=${2%:*} gid=${2#*:}; shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for d in null urandom; do : > "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"; done
mount -t tmpfs -o noexec,nosuid,nodev,mode=1777 tmpfs "$root/tmp"
mount --bind "$volume" "$root/config"
mount -o remount,bind,ro "$root"
exec setsid unshare --root="$root" --wd=/config --setuid "$uid" --setgid "$gid" "$@"`

// namespace runs a program of the image as an engine for containers does.
func namespace(root string) func(b *box, program ...string) *exec.Cmd {
	return func(b *box, program ...string) *exec.Cmd {
		args := []string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", contain, root, b.volume, b.user}
		cmd := exec.Command("unshare", append(args, program...)...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOOKARR_VOLUME=/config", "PUID=1000", "PGID=1000", "UMASK=022"}, b.env...)
		return cmd
	}
}

// inside runs a program in the namespaces of a process.
func inside(b *box, pid int, user string, program ...string) *exec.Cmd {
	uid, gid, _ := strings.Cut(user, ":")
	args := []string{"--target", strconv.Itoa(pid), "--mount", "--pid", "--root", "--wdns=/config", "--setuid", uid, "--setgid", gid}
	cmd := exec.Command("nsenter", append(args, program...)...)
	cmd.Env = append([]string{"HOOKARR_VOLUME=/config", "PUID=1000", "PGID=1000", "UMASK=022"}, b.env...)
	return cmd
}

// TestReadOnlyRoot runs the image as process 1, on a root that nothing is written to.
func TestReadOnlyRoot(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make", "unshare", "nsenter", "setsid")
	root, err := image()
	require.NoError(t, err)
	for name, user := range map[string]string{"PUID": "0:0", "user": "99:100"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, user)
			is := "1000:1000"
			if name == "user" {
				is = user
				chown(t, b.volume, 99, 100)
			}
			b.start, b.enter = namespace(root), inside
			out, err := b.hookarr("init", "--webhook", b.got.URL+"/hook", "--app", "radarr")
			require.NoError(t, err, out)
			s := b.serve()
			require.True(t, strings.HasSuffix(s.status("NSpid"), " 1"))
			require.Equal(t, strings.Split(is, ":")[0], strings.Fields(s.status("Uid"))[0])
			s.post("import.json", `"media.imported"`)
			for _, as := range []string{"0:0", is} {
				out, err := s.health(as)
				require.NoError(t, err, as)
				require.Equal(t, "ready\n", out)
				out, err = s.exec(as, "open")
				require.NoError(t, err, as)
				require.Contains(t, out, "/login#")
			}
			_, err = s.health("77:77")
			require.Error(t, err, "a stranger may not read the configuration")

			// Process 1 gets whoever loses his parent.
			orphan := exec.Command("nsenter", "--target", strconv.Itoa(s.pid), "--pid", "setsid", "--fork", "sh", "-c", "sleep 0 & exec sleep 0.1")
			require.NoError(t, orphan.Run())
			require.Eventually(t, func() bool { return !hasOrphans(s.pid) }, waitTimeout, 100*time.Millisecond, "orphans are left")
			s.stop()
		})
	}
}

// hasOrphans reports whether a process has children that it has not started.
func hasOrphans(pid int) bool {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(children)) {
			name, err := os.ReadFile("/proc/" + child + "/comm")
			if err == nil && !strings.HasPrefix(string(name), "hookarr") {
				return true
			}
		}
	}
	return false
}

// TestSecondSignal ends process 1, for which the kernel ignores what it does not ask for.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	need(t, "buildah", "make", "unshare", "nsenter", "setsid")
	root, err := image()
	require.NoError(t, err)
	b := newBox(t, "0:0")
	b.start, b.enter = namespace(root), inside
	out, err := b.hookarr("init", "--webhook", b.got.URL+"/hook", "--app", "radarr")
	require.NoError(t, err, out)
	s := b.serve()
	require.Eventually(t, func() bool {
		_ = syscall.Kill(s.pid, syscall.SIGTERM)
		select {
		case err := <-s.ended:
			s.ended <- err
			return true
		default:
			return false
		}
	}, waitTimeout, 10*time.Millisecond)
}
