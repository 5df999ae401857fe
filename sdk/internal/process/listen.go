package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// listen returns a socket that only the user of this process can connect to, whatever the
// umask: in a directory of its own, which is removed with it, in the one that the host has
// made, or in the system's for "".
func listen(ctx context.Context, dir string) (net.Listener, error) {
	own, err := os.MkdirTemp(dir, "p")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(own, "s"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the host: %w", err), os.RemoveAll(own)) //nolint:gosec // it was just made
	}
	return &removingListener{Listener: l, dir: own}, nil
}

// removingListener removes the directory of its socket with it.
type removingListener struct {
	net.Listener
	dir string
}

func (l *removingListener) Close() error {
	return errors.Join(l.Listener.Close(), os.RemoveAll(l.dir))
}
