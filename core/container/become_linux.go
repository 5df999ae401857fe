package container

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Become sets the umask, and makes a process of root the user of the container, by starting
// the program anew in its place: nothing of root's is left in it, such as what /proc has of
// a process that had another user. It then does not return. It returns with nil where there
// is nothing to do.
func (c Container) Become() error {
	if c.Umask != nil {
		unix.Umask(*c.Umask)
	}
	if c.UID == 0 || os.Geteuid() != 0 {
		return nil
	}
	if !has(unix.CAP_SETUID) || !has(unix.CAP_SETGID) {
		return fmt.Errorf("%s and %s need capabilities that this container does not have: add cap_add: [CHOWN, SETGID, SETUID] to it, "+
			"or set user: %q in their place", uidVariable, gidVariable, c.user())
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	// The flag below belongs to the thread that starts the program anew.
	runtime.LockOSThread()
	err = syscall.Setgroups(nil)
	if err == nil {
		err = syscall.Setresgid(c.GID, c.GID, c.GID)
	}
	if err == nil {
		err = syscall.Setresuid(c.UID, c.UID, c.UID)
	}
	if errors.Is(err, unix.EINVAL) {
		err = errors.New("this container has no such user: a rootless one maps only some numbers")
	}
	if err == nil {
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if err == nil {
		err = syscall.Exec(program, os.Args, os.Environ()) //nolint:gosec // this program
	}
	return fmt.Errorf("become user %s of %s and %s: %w", c.user(), uidVariable, gidVariable, err)
}

// HandedOver reports whether the volume is the user's of the container.
func (c Container) HandedOver() bool {
	info, err := os.Stat(c.Volume)
	if err != nil {
		return false
	}
	st, ok := owner(info)
	return ok && int(st.Uid) == c.UID
}

// StaysRoot reports whether nothing says which user a process of root is to become.
func (c Container) StaysRoot() bool { return c.Volume != "" && c.UID == 0 && os.Geteuid() == 0 }

// has reports whether this thread may use a capability.
func has(capability int) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return true // whoever needs it will see
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}
