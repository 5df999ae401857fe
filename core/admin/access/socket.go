package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxSocketPath is what the system takes, in bytes.
	maxSocketPath = 107
	// socketTimeout bounds the look for a server behind a socket.
	socketTimeout = time.Second
	// lockTimeout is how long another process may have the directory, lockPoll the time
	// between looks.
	lockTimeout = 5 * time.Second
	lockPoll    = 20 * time.Millisecond
	// othersWrite are the permission bits of group and others.
	othersWrite fs.FileMode = 0o022
)

var errNoPeer = errors.New("the user of this connection is not known")

// ListenSocket takes the unix socket at path, which admin.socket names, for this process's
// user alone. A directory that is not there is made for this user alone; one that others
// may write to is refused, as they could put their own socket there. A socket that nobody
// answers is of a process that was killed, and goes. It is called while the process has
// the database to itself.
func ListenSocket(ctx context.Context, path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("admin.socket: the path of a socket has at most %d bytes, and %s has %d: set admin.socket to a shorter one, such as /run/hookarr/hookarr.sock",
			maxSocketPath, path, len(path))
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("admin.socket: make its directory: %w; set admin.socket to a path whose directory %s may write to", err, userName(os.Getuid()))
	}
	unlock, err := lockDir(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	defer unlock()
	if err := checkDir(dir); err != nil {
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin.socket: %w; a file system of another machine may take no sockets: set admin.socket to a path such as /run/hookarr/hookarr.sock", err)
	}
	// Until here others could connect: whoever does is asked who they are.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("admin.socket: %w", err), l.Close())
	}
	return l, nil
}

// lockDir keeps other processes from the directory: two that find a stale socket would
// remove each other's new one.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = d.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), d.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another program has locked %s: set admin.socket to a path in another directory", dir), d.Close())
		case <-time.After(lockPoll):
		}
	}
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&othersWrite != 0 {
		return fmt.Errorf("others may write to %s (mode %04o) and could put their own socket there: run chmod go-w %s, or set admin.socket to a path in another directory",
			dir, mode, dir)
	}
	return nil
}

// removeStale removes a socket that nobody listens to.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is no socket: remove it, or set admin.socket to another path", path)
	}
	d := net.Dialer{Timeout: socketTimeout}
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("another hookarr serve answers at %s: stop it, or set admin.socket to another path", path)
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("%s cannot be told from the socket of another hookarr serve: %w; stop that, or set admin.socket to another path", path, err)
	}
	return os.Remove(path)
}

// ConnContext is the http.Server's of a socket: it notes who is at the other end.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	uid, err := peerUID(c)
	p := peer{uid: uid}
	switch {
	case err != nil:
		p.err = errors.Join(errNoPeer, err)
	case uid != os.Getuid() && uid != 0:
		p.err = fmt.Errorf("%s may not use the socket of %s: run the command as that user, or as root, or use admin.listen with a token", userName(uid), userName(os.Getuid()))
	}
	return context.WithValue(ctx, peerKey{}, p)
}

// userName is a user's, or their number where the system knows no name.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(uid)
}
