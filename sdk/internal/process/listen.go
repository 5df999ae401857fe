package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// listen returns a socket that only the user of this process can connect to: in a
// directory that the host has made for it, or for "" in one that is removed with it.
func listen(ctx context.Context, dir string) (net.Listener, error) {
	if dir != "" {
		return listenIn(ctx, dir)
	}
	dir, err := os.MkdirTemp("", "plugin-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the socket: %w", err)
	}
	l, err := listenIn(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return &removingListener{Listener: l, dir: dir}, nil
}

func listenIn(ctx context.Context, dir string) (net.Listener, error) {
	path := filepath.Join(dir, strconv.Itoa(os.Getpid()))
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen for the host: %w", err)
	}
	// A umask may have left it to everybody.
	if err := os.Chmod(path, 0o600); err != nil { //nolint:gosec // The directory is the host's to name.
		return nil, errors.Join(fmt.Errorf("listen for the host: %w", err), l.Close())
	}
	return l, nil
}

// removingListener removes the directory of its socket with it.
type removingListener struct {
	net.Listener
	dir string
}

func (l *removingListener) Close() error {
	return errors.Join(l.Listener.Close(), os.RemoveAll(l.dir))
}
