//go:build !linux

package sqlite

import (
	"errors"

	"github.com/hookarr/hookarr/core/store"
)

func space(string) (store.Space, error) { return store.Space{}, errors.ErrUnsupported }
