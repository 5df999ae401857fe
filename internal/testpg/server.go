package testpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hookarr/hookarr/internal/testport"
)

const startTimeout = 5 * time.Minute

// watch removes a server's directory, and the server if it still runs, when its
// standard input ends: a test process that is killed leaves nothing behind.
const watch = `cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
rm -rf "$1"`

// Server is a private Postgres on the loopback interface. It ends with this process.
type Server struct {
	dir     string
	bin     string
	port    int
	durable bool
	owner   *syscall.Credential
	watched io.Closer

	process *exec.Cmd
	exited  chan struct{}
	log     *logBuffer
}

// Start makes and starts a server, from the installed binaries, or from those of
// Debian's package, which it installs when it may. A durable one syncs to disk.
func Start(durable bool) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hookarr-pg-")
	if err != nil {
		return nil, fmt.Errorf("make directory for Postgres: %w", err)
	}
	s := &Server{dir: dir, bin: bin, durable: durable, owner: owner, log: &logBuffer{}}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) create() error {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return fmt.Errorf("give directory to Postgres: %w", err)
		}
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	watcher := exec.Command("sh", "-c", watch, "watch", s.dir)
	watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := watcher.StdinPipe()
	if err != nil {
		return fmt.Errorf("watch Postgres: %w", err)
	}
	if err := watcher.Start(); err != nil {
		return fmt.Errorf("watch Postgres: %w", err)
	}
	s.watched = closeAndWait{stdin, watcher}
	s.port, err = testport.Free()
	return err
}

// Start starts a server that was stopped.
func (s *Server) Start() error {
	fsync := "off"
	if s.durable {
		fsync = "on"
	}
	s.process = s.command("postgres", "-D", s.data(), "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300",
		"-c", "fsync="+fsync, "-c", "full_page_writes="+fsync, "-c", "synchronous_commit="+fsync)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	// A terminal's interrupt is for the test; the watcher ends the server.
	s.process.SysProcAttr.Setpgid = true
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(p *exec.Cmd) {
		_ = p.Wait() // it is stopped by signals
		close(exited)
	}(s.process)

	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-exited:
			return fmt.Errorf("start Postgres: it ended:\n%s", s.log)
		case <-ctx.Done():
			return fmt.Errorf("start Postgres: %w\n%s", err, s.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// StopImmediate ends the server as a crash would.
func (s *Server) StopImmediate() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop Postgres: %w", err)
	}
	<-s.exited
	s.process = nil
	return nil
}

// Stop ends the server for good and removes its files.
func (s *Server) Stop() error { return errors.Join(s.StopImmediate(), s.watched.Close()) }

// URL is that of the server's database, for its superuser.
func (s *Server) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

// unprivileged returns who runs the server when this process is root, whom Postgres
// refuses.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else needs to
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("look up user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root cannot run Postgres, and there is no user postgres or nobody: run the tests as another user, or set TEST_DATABASE_URL")
}

// closeAndWait ends a process by the end of its input.
type closeAndWait struct {
	io.Closer
	cmd *exec.Cmd
}

// Close waits for the process's end.
func (c closeAndWait) Close() error { return errors.Join(c.Closer.Close(), c.cmd.Wait()) }

// logBuffer keeps the beginning of the server's log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() < 64<<10 {
		b.buf.Write(p)
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
