package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/hookarr/hookarr/core/store"
)

// errMoved is found when the path does not lead to the open file any more. What is
// written then would be gone when the process ends.
var errMoved = errors.New("database file was deleted or replaced while in use")

// rescueTime stamps the names of rescued files.
const rescueTime = "20060102T150405Z"

// guard reports whether what is written will be found by the next process, and that no
// other process serves the file. It logs when that changes. It costs two looks into
// the directory, so that every batch can ask.
func (s *Store) guard(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.inspect()
	changed := (err == nil) != (s.trouble == nil)
	s.trouble = err
	switch {
	case !changed:
	case err == nil:
		s.log.InfoContext(ctx, "database file is back: webhooks are taken", slog.String("path", s.path))
	case errors.Is(err, errMoved):
		s.log.ErrorContext(ctx, "database file was deleted or replaced while in use: webhooks are refused. "+
			"Put the same file back, or restart: the end of this process saves what it still holds as rescued",
			slog.String("path", s.path), slog.String("rescued", s.path+".rescued-TIME"), slog.Any("error", err))
	default:
		s.log.ErrorContext(ctx, "database is not this process's alone: webhooks are refused. Stop all but one hookarr serve",
			slog.String("path", s.path), slog.Any("error", err))
	}
	return err
}

func (s *Store) inspect() error {
	now, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	if !os.SameFile(now, s.opened) {
		return fmt.Errorf("%s: %w", s.path, errMoved)
	}
	if s.lock == nil {
		return nil
	}
	// A lock file that was deleted keeps nobody out.
	return s.takeLock()
}

// acceptGuarded looks before, so that nothing is delivered that was refused, and
// afterwards, because only then is it certain that the commit is in the file.
func (s *Store) acceptGuarded(ctx context.Context, items []*store.Acceptance) ([]store.Accepted, error) {
	if err := s.guard(ctx); err != nil {
		return nil, err
	}
	accepted, err := s.acceptBatch(ctx, items)
	if err != nil {
		return nil, err
	}
	return accepted, s.guard(ctx)
}

// leaveFile puts everything into the one file at the path, or into one beside it when
// the path does not lead to the open file.
func (s *Store) leaveFile(ctx context.Context) error {
	if err := s.guard(ctx); errors.Is(err, errMoved) {
		return s.rescue(ctx)
	}
	// It waits for readers, such as a command that lists events, as long as busyTimeout.
	if _, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("checkpoint %s: %w", s.path, err)
	}
	return nil
}

func (s *Store) rescue(ctx context.Context) error {
	name := s.path + ".rescued-" + time.Now().UTC().Format(rescueTime)
	if err := create(name); err != nil { // for its permissions
		return fmt.Errorf("rescue %s: %w", s.path, err)
	}
	if _, err := s.write.ExecContext(ctx, "VACUUM INTO ?", name); err != nil {
		return fmt.Errorf("rescue %s: %w", s.path, err)
	}
	s.log.WarnContext(ctx, "database saved: to go on with it, move it to the path while hookarr is stopped",
		slog.String("path", s.path), slog.String("rescued", name))
	return nil
}
