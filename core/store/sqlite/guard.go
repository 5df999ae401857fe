package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// errReplaced is found when the path does not lead to the open file any more. What is
// written then would be gone when the process ends.
var errReplaced = errors.New("database file was deleted or replaced while in use")

// rescueTime stamps the names of rescued files.
const rescueTime = "20060102T150405Z"

// Guard reports whether what is written will be found by the next process, and that no
// other process serves the file. It logs when that changes. It costs two looks into
// the directory, so that every batch can ask.
func (e *Engine) Guard(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.inspect()
	changed := (err == nil) != (e.trouble == nil)
	e.trouble = err
	switch {
	case !changed:
	case err == nil:
		e.log.InfoContext(ctx, "database file is back: webhooks are taken", slog.String("path", e.path))
	case errors.Is(err, errReplaced):
		e.log.ErrorContext(ctx, "database file was deleted or replaced while in use: webhooks are refused. "+
			"Put the same file back, or restart: the end of this process saves what it still holds as rescued",
			slog.String("path", e.path), slog.String("rescued", e.path+".rescued-TIME"), slog.Any("error", err))
	default:
		e.log.ErrorContext(ctx, "database is not this process's alone: webhooks are refused. Stop all but one hookarr serve",
			slog.String("path", e.path), slog.Any("error", err))
	}
	return err
}

func (e *Engine) inspect() error {
	now, err := os.Stat(e.path)
	if err != nil {
		return fmt.Errorf("%w: %w", errReplaced, err)
	}
	if !os.SameFile(now, e.opened) {
		return fmt.Errorf("%s: %w", e.path, errReplaced)
	}
	if e.lock == nil {
		return nil
	}
	// A lock file that was deleted keeps nobody out.
	return e.takeLock()
}

// leaveFile puts everything into the one file at the path, or into one beside it when
// the path does not lead to the open file.
func (e *Engine) leaveFile(ctx context.Context) error {
	if err := e.Guard(ctx); errors.Is(err, errReplaced) {
		return e.saveCopy(ctx)
	}
	// It waits for readers, such as a command that lists events, as long as busyTimeout.
	if _, err := e.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("checkpoint %s: %w", e.path, err)
	}
	return nil
}

func (e *Engine) saveCopy(ctx context.Context) error {
	name := e.path + ".rescued-" + time.Now().UTC().Format(rescueTime)
	if err := create(name); err != nil { // for its permissions
		return fmt.Errorf("save a copy of %s: %w", e.path, err)
	}
	if _, err := e.write.ExecContext(ctx, "VACUUM INTO ?", name); err != nil {
		return fmt.Errorf("save a copy of %s: %w", e.path, err)
	}
	e.log.WarnContext(ctx, "database saved: to go on with it, move it to the path while hookarr is stopped",
		slog.String("path", e.path), slog.String("rescued", name))
	return nil
}
