package ui

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/config"
)

const (
	// maxShown is how much of a body a page shows, and maxHex how much where it is no text.
	maxShown = 64 << 10
	maxHex   = 4 << 10
)

// bodies are what was received of an event, and what it was made into.
type bodies struct {
	ID         string
	Normalized *shownBody
	// Raw is nil for who may not see it.
	Raw *shownBody
}

// shownBody is a body as a page shows it.
type shownBody struct {
	Text string
	// Hex: it is no text, and shown byte by byte.
	Hex bool
	// Cut: it is longer than what is shown.
	Cut  bool
	Size int64
}

func (u *UI) showBody(r *http.Request) (view, error) {
	id, err := u.Service.FindEventID(r.Context(), r.PathValue("id"))
	if err != nil {
		return view{}, u.gone(err, "event")
	}
	b := bodies{ID: id.String()}
	if admin.PrincipalOf(r.Context()).May(config.RoleOperate) {
		raw, _, err := u.Service.Body(r.Context(), id, false)
		if err != nil {
			return view{}, u.gone(err, "event")
		}
		b.Raw = showBytes(raw)
	}
	normalized, _, err := u.Service.Body(r.Context(), id, true)
	switch p, ok := u.refusal(err); {
	case err == nil:
		b.Normalized = showBytes([]byte(indented(normalized)))
		b.Normalized.Size = int64(len(normalized))
	case !ok || p.Status != http.StatusConflict: // a conflict is an event that is not decoded
		return view{}, u.gone(err, "event")
	}
	return view{Title: "Bodies of event " + short(b.ID), Data: b}, nil
}

// showBytes makes text of a body. What the text of is none is shown as hexadecimal digits.
func showBytes(body []byte) *shownBody {
	s := &shownBody{Size: int64(len(body)), Cut: len(body) > maxShown}
	if s.Cut {
		body = body[:maxShown]
		for len(body) > maxShown-utf8.UTFMax && !utf8.Valid(body) {
			body = body[:len(body)-1]
		}
	}
	if readable(body) {
		s.Text = string(body)
		return s
	}
	s.Hex, s.Cut = true, s.Size > maxHex
	s.Text = hex.Dump(body[:min(len(body), maxHex)])
	return s
}

// readable reports whether bytes are text. A few control characters make no difference:
// the page shows them as signs.
func readable(body []byte) bool {
	if !utf8.Valid(body) {
		return false
	}
	controls := 0
	for _, r := range string(body) {
		if r == 0 {
			return false
		}
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			controls++
		}
	}
	return controls*10 <= len(body)
}

func (u *UI) downloadRaw(w http.ResponseWriter, r *http.Request) { u.download(w, r, false) }

func (u *UI) downloadNormalized(w http.ResponseWriter, r *http.Request) { u.download(w, r, true) }

// download serves a body as a file that no browser opens as a page.
func (u *UI) download(w http.ResponseWriter, r *http.Request, normalized bool) {
	ctx := r.Context()
	id, err := u.Service.FindEventID(ctx, r.PathValue("id"))
	var body []byte
	if err == nil {
		body, _, err = u.Service.Body(ctx, id, normalized)
	}
	if err != nil {
		u.fail(w, r, u.gone(err, "event"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+fileName(id, normalized)+`"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

func fileName(id uuid.UUID, normalized bool) string {
	if normalized {
		return "event-" + id.String() + ".json"
	}
	return "event-" + id.String() + ".bin"
}
