package sqlite

import (
	"context"
	"fmt"
)

// LimitPages makes the disk full once the file has n pages.
func (s *Store) LimitPages(ctx context.Context, n int) error {
	_, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n))
	return err
}
