package sqlite

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/hookarr/hookarr/core/store"
)

// OpenSmall opens a store whose disk is full once the file has so many pages.
func OpenSmall(ctx context.Context, path string, log *slog.Logger) (s *store.Store, limit func(pages int) error, err error) {
	e, err := openEngine(ctx, path, log)
	if err != nil {
		return nil, nil, err
	}
	return store.New(e), func(pages int) error {
		_, err := e.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		return err
	}, nil
}
