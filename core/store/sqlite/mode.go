package sqlite

import (
	"context"
	"log/slog"
	"os"
)

// others are the permissions of everybody but the owner.
const others = 0o077

// narrow takes from a database what others may do with it: a file that was copied or
// restored has the permissions of its copy. Each file that is there counts: the log next
// to it holds the latest rows.
func narrow(ctx context.Context, path string, log *slog.Logger) {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&others == 0 {
			continue
		}
		if err := os.Chmod(name, info.Mode().Perm()&^others); err != nil {
			log.WarnContext(ctx, "others can read the database: run chmod go= on it", slog.String("file", name), slog.Any("error", err))
			continue
		}
		log.InfoContext(ctx, "others could read the database", slog.String("file", name), slog.String("mode", info.Mode().Perm().String()))
	}
}
