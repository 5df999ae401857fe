package endpoint

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const methodList = "conversations.list"

// SlackConversation is a channel as conversations.list tells it.
type SlackConversation struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Private  bool   `json:"is_private"`
	Member   bool   `json:"is_member"`
	Archived bool   `json:"is_archived"`
}

// list answers conversations.list, by
// https://docs.slack.dev/reference/methods/conversations.list: a page has at most as many
// as asked for, and fewer where archived ones are left out of it. A private channel is told
// to its members alone.
func (s *SlackAPI) list(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method != http.MethodGet {
		slackError(w, "invalid_post_type", nil)
		return
	}
	limit, err := strconv.Atoi(query.Get("limit"))
	if query.Get("limit") == "" {
		limit, err = 100, nil
	}
	if err != nil || limit < 1 || limit > 1000 {
		slackError(w, "invalid_limit", nil)
		return
	}
	scopes := s.Scopes
	if scopes == nil {
		scopes = []string{"channels:read", "groups:read"}
	}
	types := strings.Split(query.Get("types"), ",")
	for typ, scope := range map[string]string{"public_channel": "channels:read", "private_channel": "groups:read"} {
		if slices.Contains(types, typ) && !slices.Contains(scopes, scope) {
			writeJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "missing_scope", "needed": scope, "provided": strings.Join(scopes, ",")})
			return
		}
	}
	all := s.Conversations
	if all == nil {
		all = []SlackConversation{{ID: SlackChannel, Name: SlackChannelName, Member: true}, {ID: SlackForeignChannel, Name: "others"}}
	}
	start := 0
	if cursor := query.Get("cursor"); cursor != "" {
		if start, err = strconv.Atoi(strings.TrimPrefix(cursor, "from=")); err != nil || start > len(all) {
			slackError(w, "invalid_cursor", nil)
			return
		}
	}
	end := min(start+limit, len(all))
	page := []SlackConversation{}
	for _, c := range all[start:end] {
		typ := "public_channel"
		if c.Private {
			typ = "private_channel"
		}
		if slices.Contains(types, typ) && (!c.Private || c.Member) && (!c.Archived || query.Get("exclude_archived") != "true") {
			page = append(page, c)
		}
	}
	next := ""
	if end < len(all) {
		next = "from=" + strconv.Itoa(end)
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "channels": page, "response_metadata": map[string]string{"next_cursor": next}})
}
