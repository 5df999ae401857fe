package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/sdk"
)

// pathless says which events named no file, or nothing.
func (r *run) pathless() string {
	if len(r.wanted.pathless) == 0 {
		return ""
	}
	return fmt.Sprintf("nothing was scanned for %s: the event does not say where the files are", some(r.wanted.pathless))
}

// waits says what the server does not have yet.
func (r *run) waits() string {
	name := r.options.Name
	var b strings.Builder
	came, all := 0, 0
	var notYet, still []string
	for _, c := range provable(r.wanted.changes) {
		missing := r.proof.isMissing(c)
		switch {
		case c.Gone && missing:
			still = append(still, c.label)
		case !c.Gone:
			all++
			if missing {
				notYet = append(notYet, c.label)
			} else {
				came++
			}
		}
	}
	switch {
	case len(notYet) > 0:
		fmt.Fprintf(&b, "%s has %d of %s; not yet: %s", name, came, count(all, "file"), some(notYet))
	case len(still) > 0:
		fmt.Fprintf(&b, "%s still has what is gone: %s", name, some(still))
	default:
		fmt.Fprintf(&b, "%s has %s", name, count(all, "file"))
	}
	switch {
	case len(r.unseen) > 0:
		fmt.Fprintf(&b, "; %s", r.unseenText())
	case r.waiting:
		b.WriteString("; it is busy with another scan")
	}
	return b.String()
}

// unseenText says which files the server's disk does not show as the application told.
func (r *run) unseenText() string {
	c := r.unseen[0]
	more := ""
	if n := len(r.unseen) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	if c.Gone {
		return fmt.Sprintf("it sees %s%s on its disk still", c.Path, more)
	}
	return fmt.Sprintf("it does not see %s%s on its disk", c.Path, more)
}

// proven ends a delivery whose effect is there.
func (r *run) proven(ctx context.Context, unplaced []*change) (sdk.Receipt, error) {
	receipt := r.told(unplaced)
	if len(unplaced) > 0 {
		return receipt, r.unplacedError(ctx, unplaced)
	}
	return receipt, nil
}

// final ends a delivery that was waited for long enough.
func (r *run) final(ctx context.Context, unplaced []*change) (sdk.Receipt, error) {
	var missing []*change
	for _, c := range r.proof.missing {
		if err := r.sight.guard(ctx, c.library, c.folder); err != nil {
			return sdk.Receipt{}, err // it cannot show what is on a disk that is gone
		}
		// What is there again since then, or gone since then, is another event's.
		seen, err := r.sight.has(ctx, c.Path)
		switch {
		case err != nil:
			return sdk.Receipt{}, err
		case r.sight.blind() || seen != c.Gone:
			missing = append(missing, c)
		case c.Gone:
			r.proof.note(c.label + " is on the disk again")
		default:
			r.unseen = append(r.unseen, c)
			missing = append(missing, c)
		}
	}
	notes := r.proof.notes
	items := r.proof.items
	r.proof = lacking(missing)
	r.proof.items, r.proof.notes = items, notes
	if len(missing) == 0 {
		return r.proven(ctx, unplaced)
	}
	receipt := r.told(append(slices.Clone(missing), unplaced...))
	return receipt, sdk.Permanent(errors.New(r.waits() + r.advice(missing)))
}

// advice says what to look at.
func (r *run) advice(missing []*change) string {
	switch c := missing[0]; {
	case len(r.unseen) > 0:
		return fmt.Sprintf(": check the mounts and map, `hookarr paths %s` proposes one", r.instance)
	case c.Gone:
		return ": it keeps what is gone in its trash, or does not scan " + c.folder
	default:
		return fmt.Sprintf(": it was told to scan %s; is the name one that the library %q reads?", c.folder, c.library.Name)
	}
}

// some names a few of many.
func some(all []string) string {
	const few = 3
	if len(all) <= few+1 {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:few], ", "), len(all)-few)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
