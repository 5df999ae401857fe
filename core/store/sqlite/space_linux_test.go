package sqlite_test

import (
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/sqlite"
)

// mounted is a file system of a size, which root alone can make.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a file system of its own takes root: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// TestFullFileSystem is found though nobody posts, refuses what comes, loses nothing, and is
// over when there is room.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	dir := mounted(t, "size=8m")
	path := filepath.Join(dir, "hookarr.db")
	s := open(t, path)
	require.NoError(t, s.Migrate(t.Context()))
	delivery := event.NewID()
	accept := func() error {
		id := event.NewID()
		_, err := s.Accept(t.Context(), &store.Acceptance{
			Event:      event.Event{ID: id, Source: "radarr", State: event.Routed, Request: event.Request{Body: make([]byte, 256<<10)}},
			Deliveries: []event.Delivery{{ID: event.NewID(), EventID: id, Target: "ops", Route: "all"}},
		})
		return err
	}
	_, err := s.Accept(t.Context(), &store.Acceptance{
		Event:      event.Event{ID: delivery, Source: "radarr", State: event.Routed},
		Deliveries: []event.Delivery{{ID: delivery, EventID: delivery, Target: "ops", Route: "all"}},
	})
	require.NoError(t, err)
	_, err = s.LoadWork(t.Context(), delivery)
	require.NoError(t, err)
	before, err := s.Space(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 8<<20, before.Total)
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	require.NoError(t, err)
	for block := make([]byte, 4096); err == nil; _, err = ballast.Write(block) {
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, ballast.Close())
	after, err := s.Space(t.Context())
	require.NoError(t, err)
	require.Zero(t, after.Free)

	err = s.Ready(t.Context())
	require.ErrorIs(t, err, store.ErrUnwritable)
	require.ErrorContains(t, err, path+": ")
	require.ErrorContains(t, err, "0 B are free on its file system, or a quota is used up: make room there (df -h "+dir+")")
	require.Error(t, accept())
	require.ErrorIs(t, s.Ready(t.Context()), store.ErrUnwritable)
	_, err = s.LoadWork(t.Context(), delivery)
	require.ErrorIs(t, err, store.ErrUnwritable, "what is sent could not be recorded")
	require.NoError(t, os.Remove(ballast.Name()))
	_, err = s.LoadWork(t.Context(), delivery)
	require.NoError(t, err)
	require.NoError(t, s.Ready(t.Context()))
	require.NoError(t, accept())
	events, err := s.ListEvents(t.Context(), store.EventFilter{})
	require.NoError(t, err)
	require.Len(t, events, 2)
}

// TestFileSystemBecomesReadOnly as after an error of the disk, which asks nobody who has files
// open.
func TestFileSystemBecomesReadOnly(t *testing.T) {
	t.Parallel()
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	script := func(line string) error {
		return osexec.Command("sh", "-ec", line, "sh", image, dir).Run()
	}
	if os.Getuid() != 0 || script(`truncate -s 192M "$1" && mkfs.ext4 -q -F "$1" && mount -o loop "$1" "$2"`) != nil {
		t.Skip("a file system of its own takes root, mkfs.ext4 and a loop device")
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	path := filepath.Join(dir, "hookarr.db")
	s, err := sqlite.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() }) // what can it do
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Ready(t.Context()))
	require.NoError(t, script(`mount -o remount,abort "$2"`))
	id := event.NewID()
	_, err = s.Accept(t.Context(), &store.Acceptance{Event: event.Event{ID: id, Source: "radarr", State: event.Routed}})
	require.Error(t, err)
	err = s.Ready(t.Context())
	require.ErrorIs(t, err, store.ErrUnwritable)
	require.ErrorContains(t, err, path+": ")
	require.ErrorContains(t, err, "journalctl -k")
}
