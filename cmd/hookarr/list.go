package main

import (
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/config"
	"github.com/hookarr/hookarr/core/event"
)

// page is what the flags of every list say. S is a kind of state.
type page[S ~string] struct {
	states        []S
	state, before string
	limit         int
}

func (p *page[S]) flags(cmd *cobra.Command, item string) {
	flags := cmd.Flags()
	flags.StringVar(&p.state, "state", "", "only in this `STATE`: "+oneWordOf(p.states))
	flags.StringVar(&p.before, "before", "", "only older than the "+item+" with this `ID`")
	flags.IntVar(&p.limit, "limit", 50, "at most this many")
	completeFlag(cmd, "state", words(p.states))
}

// read returns zeros for what was not asked for.
func (p *page[S]) read() (state S, before uuid.UUID, err error) {
	if state, err = oneOf("state", p.state, p.states); err != nil {
		return "", uuid.Nil, err
	}
	if p.limit < 1 {
		return "", uuid.Nil, usagef("--limit: want 1 or more")
	}
	if p.before != "" {
		before, err = readID(p.before)
	}
	return state, before, err
}

// readID reads an id of the command line.
func readID(s string) (uuid.UUID, error) {
	id, err := event.ParseID(s)
	if err != nil {
		return uuid.Nil, usageError{err}
	}
	return id, nil
}

// oneOf reads a flag that has a few values; empty is any.
func oneOf[S ~string](flag, value string, known []S) (S, error) {
	names := make([]string, 0, len(known))
	for _, k := range known {
		if string(k) == value {
			return k, nil
		}
		names = append(names, string(k))
	}
	if value == "" {
		return "", nil
	}
	return "", usagef("--%s: want %s%s", flag, oneWordOf(known), config.Suggest(value, names))
}

// oneWordOf lists words: "a, b or c".
func oneWordOf[S ~string](known []S) string {
	var b strings.Builder
	for i, k := range known {
		switch {
		case i > 0 && i == len(known)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(k))
	}
	return b.String()
}
