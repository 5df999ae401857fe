package move

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/core/store/rows"
)

// Side is a database.
type Side struct {
	Store *store.Store
	// Name is its URL without a password.
	Name string
}

// Options are how a move tells of itself. The zero value tells nothing.
type Options struct {
	// Say is told what it does, in a sentence.
	Say func(string)
	// Tell is told of each batch.
	Tell func(Progress)
	// BatchRows is how many rows are copied in one transaction, at most; 4,000 when zero.
	BatchRows int64
	// Lease is how long a node lives that does not beat; store.NodeLease when zero.
	Lease time.Duration
}

func (o Options) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}

// Result is what a move has done.
type Result struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Resumed is that an earlier run has copied a part, and Already that one has done it all.
	Resumed bool `json:"resumed"`
	Already bool `json:"already"`
	// Rows and Bytes are what this run has copied.
	Rows  int64 `json:"rows_copied"`
	Bytes int64 `json:"bytes_copied"`
	// Tables are equal in both databases.
	Tables []Sum `json:"tables"`
}

// mover is a move between two databases that no server uses.
type mover struct {
	Options
	from, to Side
	// names are the tables that are copied.
	names []string
	// source and target are the states of the two.
	source, target store.State
	result         Result
}

// Move moves everything to a database that is empty, or holds a part from an earlier run that
// was ended. Servers are kept out of both meanwhile. It can be ended at any moment, and run
// again. At every moment at most one of the two can be served: the source until its rows begin
// to be copied and whenever that is given up, the destination from the end on.
func Move(ctx context.Context, from, to Side, o Options) (Result, error) {
	m, release, err := begin(ctx, from, to, o)
	if err != nil {
		return Result{}, err
	}
	err = m.run(ctx)
	return m.result, errors.Join(err, release(context.WithoutCancel(ctx)))
}

// begin keeps servers out of both databases, and looks at them.
func begin(ctx context.Context, from, to Side, o Options) (_ *mover, release func(context.Context) error, err error) {
	if o.Lease == 0 {
		o.Lease = store.NodeLease
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	m := &mover{Options: o, from: from, to: to, result: Result{From: from.Name, To: to.Name}}
	if m.names, err = tableNames(ctx); err != nil {
		return nil, nil, err
	}
	have, want, err := from.Store.Schema(ctx)
	if err != nil {
		return nil, nil, from.at(err)
	}
	if err := have.Check(want); err != nil {
		return nil, nil, from.at(err)
	}
	if err := m.distinct(ctx); err != nil {
		return nil, nil, err
	}
	var releases []func(context.Context) error
	release = func(ctx context.Context) error {
		var errs []error
		for _, end := range releases {
			errs = append(errs, end(ctx))
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, release(context.WithoutCancel(ctx)))
		}
	}()
	for _, side := range []Side{from, to} {
		end, err := side.Store.Exclude(ctx, o.Lease, func(line string) { o.Say(side.Name + ": " + line) })
		if err != nil {
			return nil, release, side.at(err)
		}
		releases = append(releases, end)
	}
	if err := m.migrate(ctx); err != nil {
		return nil, release, to.at(err)
	}
	if m.source, err = from.Store.State(ctx); err != nil {
		return nil, release, from.at(err)
	}
	if m.target, err = to.Store.State(ctx); err != nil {
		return nil, release, to.at(err)
	}
	return m, release, nil
}

func (s Side) at(err error) error { return fmt.Errorf("%s: %w", s.Name, err) }

// distinct refuses to move a database into itself.
func (m *mover) distinct(ctx context.Context) error {
	source, err := m.from.Store.State(ctx)
	if err != nil {
		return m.from.at(err)
	}
	target, err := m.to.Store.State(ctx)
	if err != nil {
		return m.to.at(err)
	}
	if source.ID != uuid.Nil && source.ID == target.ID {
		return fmt.Errorf("%s is the database that is to be moved, or a copy of it: name an empty one", m.to.Name)
	}
	return nil
}

// migrate makes the tables of a destination without any, and refuses one of another version
// that holds something.
func (m *mover) migrate(ctx context.Context) error {
	have, want, err := m.to.Store.Schema(ctx)
	if err != nil {
		return err
	}
	behind := have.Check(want)
	switch {
	case behind == nil:
		return nil
	case !errors.Is(behind, store.ErrNotMigrated):
		return behind
	}
	if have.Tables > 0 {
		if err := m.empty(ctx); err != nil {
			return err
		}
	}
	return m.to.Store.Migrate(ctx)
}

// empty returns an error that names what the destination holds.
func (m *mover) empty(ctx context.Context) (err error) {
	reader, err := m.to.Store.ReadRows(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close(context.WithoutCancel(ctx))) }()
	tables, err := reader.Tables(ctx, m.names)
	if err != nil {
		return err
	}
	var held []string
	for _, t := range tables {
		cursor, err := reader.Read(ctx, t, nil)
		if err != nil {
			return err
		}
		_, none := cursor.Next(ctx)
		if err := cursor.Close(); err != nil {
			return err
		}
		if none == nil {
			held = append(held, t.Name)
		}
	}
	if len(held) > 0 {
		return fmt.Errorf("the database is not empty: it has rows in %s: name an empty one", strings.Join(held, ", "))
	}
	return nil
}

// run decides what is to be done by the states of both.
func (m *mover) run(ctx context.Context) error {
	saved, err := parseSaved(m.target.Progress)
	if err != nil {
		return m.to.at(err)
	}
	same := m.source.MoveID != uuid.Nil && m.source.MoveID == m.target.MoveID
	switch source, target := m.source.Move, m.target.Move; {
	case source == store.MoveStateFilling, source == store.MoveStateMoved && !same:
		return m.from.at(&store.MoveError{State: m.source})
	case source == store.MoveStateMoved && target == store.MoveStateFilling:
		m.say("%s has been copied by an earlier run", m.from.Name)
		m.result.Resumed = true
		return m.compareAndEnd(ctx)
	case source == store.MoveStateMoved:
		m.result.Already = true
		return nil
	case target == store.MoveStateMoved, target == store.MoveStateMoving:
		return m.to.at(&store.MoveError{State: m.target})
	case target != store.MoveStateFilling:
		if err := m.empty(ctx); err != nil {
			return m.to.at(err)
		}
		return m.copyAll(ctx)
	case saved.Source != m.source.ID:
		return m.to.at(fmt.Errorf("the database holds an unfinished move of another one, %s: name an empty one", m.target.Peer))
	case source == store.MoveStateMoving && same:
		m.say("going on where an earlier run was ended")
		m.result.Resumed = true
		return m.copyRest(ctx, saved)
	default:
		m.say("%s may have changed since an earlier run was ended: its copy begins anew", m.from.Name)
		return m.copyAll(ctx)
	}
}

// copyAll copies everything from the beginning.
func (m *mover) copyAll(ctx context.Context) error {
	saved, err := m.markBegun(ctx)
	if err != nil {
		return err
	}
	return m.copyRest(ctx, saved)
}

// markBegun notes in both databases that a move begins, and empties what an earlier run has left.
// The source is last: without its mark everything begins anew.
func (m *mover) markBegun(ctx context.Context) (saved, error) {
	id := uuid.New()
	s := saved{Source: m.source.ID, Tables: map[string]savedTable{}}
	progress, err := s.format()
	if err != nil {
		return saved{}, err
	}
	now := time.Now().Truncate(time.Second)
	source, target := m.source, m.target
	m.target.Move, m.target.MoveID, m.target.Peer, m.target.Since, m.target.Progress = store.MoveStateFilling, id, m.from.Name, now, progress
	if err := m.to.Store.SaveState(ctx, target, m.target, m.names); err != nil {
		return saved{}, m.to.at(err)
	}
	if err := m.clear(ctx); err != nil {
		return saved{}, m.to.at(err)
	}
	m.source.Move, m.source.MoveID, m.source.Peer, m.source.Since = store.MoveStateMoving, id, m.to.Name, now
	if err := m.from.Store.SaveState(ctx, source, m.source, m.names); err != nil {
		return saved{}, m.from.at(err)
	}
	return s, nil
}

func (m *mover) clear(ctx context.Context) (err error) {
	writer, err := m.to.Store.WriteRows(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, writer.Close(context.WithoutCancel(ctx))) }()
	tables, err := writer.Tables(ctx, m.names)
	if err != nil {
		return err
	}
	return writer.Clear(ctx, tables)
}

// copyRest copies what is not there yet, compares both, and ends the move.
func (m *mover) copyRest(ctx context.Context, s saved) (err error) {
	reader, err := m.from.Store.ReadRows(ctx)
	if err != nil {
		return m.from.at(err)
	}
	defer func() { err = errors.Join(err, reader.Close(context.WithoutCancel(ctx))) }()
	digests, err := m.copyRows(ctx, reader, s)
	if err != nil {
		return err
	}
	if err := m.verify(ctx, reader, digests); err != nil {
		return err
	}
	// From here on neither is served, then the other one.
	was := m.source
	m.source.Move, m.source.Since = store.MoveStateMoved, time.Now().Truncate(time.Second)
	if err := m.from.Store.SaveState(ctx, was, m.source, m.names); err != nil {
		return m.from.at(err)
	}
	return m.end(ctx)
}

// end lets the destination be served.
func (m *mover) end(ctx context.Context) error {
	was := m.target
	m.target.Move, m.target.Since, m.target.Progress = store.MoveStateFilled, time.Now().Truncate(time.Second), ""
	if err := m.to.Store.SaveState(ctx, was, m.target, m.names); err != nil {
		return m.to.at(err)
	}
	return nil
}

// copyRows copies what is missing. It returns the digests of the tables that this run has copied
// as a whole.
func (m *mover) copyRows(ctx context.Context, reader rows.Reader, s saved) (_ map[string]Sum, err error) {
	writer, err := m.to.Store.WriteRows(ctx)
	if err != nil {
		return nil, m.to.at(err)
	}
	defer func() { err = errors.Join(err, writer.Close(context.WithoutCancel(ctx))) }()
	pairs, err := pairUp(ctx, reader, writer, m.names)
	if err != nil {
		return nil, err
	}
	c := copier{from: reader, to: writer, tell: m.Tell, rows: m.BatchRows}
	keys := make([]rows.Row, len(pairs))
	for i, p := range pairs {
		begun := s.Tables[p.from.Name]
		if begun.Done {
			continue
		}
		if keys[i], err = begun.key(p.from); err != nil {
			return nil, m.to.at(err)
		}
		if err := c.expect(ctx, p, keys[i]); err != nil {
			return nil, m.from.at(err)
		}
	}
	digests := map[string]Sum{}
	for i, p := range pairs {
		name, after := p.from.Name, keys[i]
		if s.Tables[name].Done {
			continue
		}
		digest, err := c.table(ctx, p, after, func(last rows.Row, done bool) (string, error) {
			s.Tables[name] = saveTable(last, done)
			return s.format()
		})
		if err != nil {
			return nil, err
		}
		if after == nil {
			digests[name] = Sum{Table: name, Rows: digest.Rows, Digest: digest.String()}
		}
	}
	m.result.Rows, m.result.Bytes = c.done.Rows, c.done.Bytes
	return digests, writer.Finish(ctx, theirs(pairs))
}

// compareAndEnd ends a move that was ended between its two last marks.
func (m *mover) compareAndEnd(ctx context.Context) (err error) {
	reader, err := m.from.Store.ReadRows(ctx)
	if err != nil {
		return m.from.at(err)
	}
	defer func() { err = errors.Join(err, reader.Close(context.WithoutCancel(ctx))) }()
	if err := m.verify(ctx, reader, nil); err != nil {
		return err
	}
	return m.end(ctx)
}

// verify compares what the destination holds with the source, of which some digests are
// known. Where they differ, it closes the source, and the next run begins anew.
func (m *mover) verify(ctx context.Context, source rows.Reader, known map[string]Sum) (err error) {
	m.say("comparing both databases")
	other, err := m.to.Store.ReadRows(ctx)
	if err != nil {
		return m.to.at(err)
	}
	defer func() { err = errors.Join(err, other.Close(context.WithoutCancel(ctx))) }()
	type read struct {
		sums []Sum
		err  error
	}
	ours := make(chan read, 1)
	go func() {
		all, err := sumsOf(ctx, source, m.names, known)
		ours <- read{all, err}
	}()
	theirs, err := sumsOf(ctx, other, m.names, nil)
	want := <-ours
	if err != nil || want.err != nil {
		return errors.Join(want.err, err)
	}
	var differ []string
	for i, s := range want.sums {
		if s != theirs[i] {
			differ = append(differ, fmt.Sprintf("%s (%d rows and %d)", s.Table, s.Rows, theirs[i].Rows))
		}
	}
	if len(differ) > 0 {
		was := m.source
		m.source.Move = store.MoveStateNone
		err := fmt.Errorf("the copy differs from %s in %s: nothing was moved; run hookarr move again, which begins anew", m.from.Name, strings.Join(differ, ", "))
		// Whoever reads the tables keeps them as they are.
		return errors.Join(err, source.Close(ctx), m.from.Store.SaveState(ctx, was, m.source, m.names))
	}
	m.result.Tables = theirs
	return nil
}
