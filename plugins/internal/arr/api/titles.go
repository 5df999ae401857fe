package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/hookarr/hookarr/plugins/internal/arr"
)

// errNoRow is of a title without an id.
var errNoRow = errors.New("it has no id")

// Listed is a title of the API's list. It is kept as JSON, and decoded from that as it was
// from the application's.
type Listed interface {
	// Row is the title's id, which counts up, or 0 for one that has none.
	Row() int64
	// Files is how many files it has, for the progress.
	Files() int
	// Empty reports whether it is known to have no file, so that no server can have it.
	Empty() bool
}

// Row is an id as a number, or 0.
func Row(id arr.ID) int64 {
	i, err := json.Number(id).Int64()
	if err != nil {
		return 0
	}
	return max(i, 0)
}

// titles are the titles of an application while a snapshot works through them.
type titles struct {
	packed *packed
	// highest is the last id that is kept. With cut there are more.
	highest int64
	cut     bool
	// items is how many titles and files the application has.
	items int
}

// titles reads the list of all titles and keeps those with an id and higher ones, or as
// many as fit of them.
func (c *Client) titles(ctx context.Context, stock Stock, from int64) (*titles, error) {
	all := newTitles()
	if err := c.list(ctx, stock, func(t Listed) error { return all.add(t, from) }); err != nil {
		return nil, err
	}
	all.packed.sort()
	return all, nil
}

// list calls f with every title of the list, one at a time. An error of f ends it.
func (c *Client) list(ctx context.Context, stock Stock, f func(Listed) error) error {
	return c.each(ctx, stock.Path(), nil, func(raw json.RawMessage) error {
		t := stock.New()
		err := arr.Unmarshal(raw, t)
		if err == nil {
			err = f(t)
		}
		if err != nil {
			return fmt.Errorf("%s at %s answered %s with a title that is none: %w", c.app, c.base, stock.Path(), err)
		}
		return nil
	})
}

func newTitles() *titles { return &titles{packed: &packed{}, highest: math.MaxInt64} }

// add keeps a title. One that is passed over would be taken for deleted: the whole list is
// refused then.
func (l *titles) add(t Listed, from int64) error {
	id := t.Row()
	if id <= 0 {
		return errNoRow
	}
	l.items += 1 + max(t.Files(), 0)
	if id < from {
		return nil
	}
	if id > l.highest {
		l.cut = true
		return nil
	}
	kept, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("keep it: %w", err)
	}
	if err := l.packed.put(id, kept); err != nil || !l.packed.full() {
		return err
	}
	if l.packed, err = l.packed.lower(); err != nil {
		return err
	}
	l.cut, l.highest = true, l.packed.slots[len(l.packed.slots)-1].id
	return nil
}
