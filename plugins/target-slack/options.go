package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookarr/hookarr/sdk"
)

const (
	// pageSize is the most that Slack recommends to ask for at once:
	// https://docs.slack.dev/reference/methods/conversations.list.
	pageSize = 200
	// maxChannels is how many channels are looked for, more than hosts show, and maxPages in
	// how many pages: Slack leaves archived ones out of pages that stay short for it.
	maxChannels = 1000
	maxPages    = 100
	// maxAnswer bounds an answer, in bytes. A channel has 1 to 3 KiB.
	maxAnswer  = 4 << 20
	lacksScope = "missing_scope"
	// leastPause is waited for when Slack asks for a pause of no length.
	leastPause = time.Second
)

// conversation is a channel as conversations.list tells it.
type conversation struct {
	ID       string
	Name     string
	Private  bool `json:"is_private"`
	Member   bool `json:"is_member"`
	Archived bool `json:"is_archived"`
}

// Options returns the channels of the workspace, those first that the bot is in. The key is
// channel: no other has options.
func (t *target) Options(ctx context.Context, _ string) ([]sdk.Option, error) {
	b, ok := t.way.(*bot)
	if !ok {
		return nil, errors.New("a webhook posts to the channel that it was made for: set bot_token in the place of webhook_url to choose one")
	}
	found, err := b.channels(ctx)
	if err != nil {
		return nil, fmt.Errorf("list Slack's channels: %w", err)
	}
	slices.SortStableFunc(found, func(a, b conversation) int {
		if a.Member != b.Member {
			if a.Member {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	options := make([]sdk.Option, len(found))
	for i, c := range found {
		options[i] = sdk.Option{Value: c.ID, Label: c.label()}
	}
	return options, nil
}

func (c conversation) label() string {
	label := "#" + c.Name
	if c.Private {
		label += ", private"
	}
	if !c.Member {
		label += ", without the bot"
	}
	return label
}

// channels reads the channels page by page. Private ones, which only those of a member are
// told, take a scope of their own: without it there are the public ones.
func (b *bot) channels(ctx context.Context) ([]conversation, error) {
	types, cursor := "public_channel,private_channel", ""
	var found []conversation
	for range maxPages {
		page, next, err := b.page(ctx, types, cursor)
		if _, ok := errors.AsType[scopeError](err); ok && types != "public_channel" && cursor == "" {
			b.log.InfoContext(ctx, "private channels are not listed, as the app lacks the scope groups:read")
			types = "public_channel"
			page, next, err = b.page(ctx, types, cursor)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, page...)
		if cursor = next; cursor == "" || len(found) >= maxChannels {
			break
		}
	}
	return slices.DeleteFunc(found, func(c conversation) bool { return c.Archived || c.ID == "" }), nil
}

// scopeError is of a token that lacks a scope.
type scopeError struct{ error }

// page reads one page, and waits as Slack asks for as long as there is time.
func (b *bot) page(ctx context.Context, types, cursor string) (page []conversation, next string, err error) {
	query := url.Values{"types": {types}, "exclude_archived": {"true"}, "limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	address := b.api.JoinPath("conversations.list")
	address.RawQuery = query.Encode()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
		if err != nil {
			return nil, "", errors.New("api_url is not a valid URL")
		}
		req.Header.Set("Authorization", "Bearer "+b.token.Reveal())
		resp, err := b.http.ReadAll(req)
		if resp == nil {
			return nil, "", err
		}
		err = explain(resp, err, judgeList)
		if class, after := sdk.ClassOf(err); err != nil && class == sdk.ClassThrottled {
			if err := rest(ctx, max(after, leastPause)); err != nil {
				return nil, "", err
			}
			continue
		}
		switch {
		case err != nil && read(resp.Body).word == lacksScope:
			return nil, "", scopeError{err}
		case err != nil:
			return nil, "", err
		}
		var told struct {
			OK       bool
			Channels []conversation
			Metadata struct {
				Next string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := json.Unmarshal(resp.Body, &told); err != nil || !told.OK {
			return nil, "", fmt.Errorf("the endpoint answered %d, but not as Slack does; check api_url", resp.Status)
		}
		return told.Channels, told.Metadata.Next, nil
	}
}

// rest waits for a pause that Slack asks for, if it ends in time.
func rest(ctx context.Context, pause time.Duration) error {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
		return fmt.Errorf("Slack asks for a pause of %s, which is too long to wait for: try again then", pause.Round(time.Second)) //nolint:staticcheck // It is a name.
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// judgeList knows the words of https://docs.slack.dev/reference/methods/conversations.list.
func judgeList(a answer) (class sdk.Class, fix string) {
	if a.word == lacksScope {
		a.needed = cmp.Or(a.needed, "channels:read")
	}
	return judgeBot(a)
}
