package mediaserver

import (
	"encoding/json"
	"hash/fnv"

	"github.com/hookarr/hookarr/sdk"
)

// state is what a delivery remembers between two calls, in its receipt. Folders are known
// by their places in the list that the events give, for their paths could be more than a
// receipt holds: 1,000 folders are 172 bytes.
type state struct {
	// Of tells the list of folders: what is remembered of another one is not used.
	Of uint32 `json:"of"`
	// Sent has a bit for each folder that was scanned.
	Sent []byte `json:"sent,omitempty"`
	// Asked is how often the server was asked in vain since the last scan.
	Asked int `json:"asked,omitempty"`
	// Again is how often folders were scanned again.
	Again int `json:"again,omitempty"`
	// Held is how often a scan waited for files to appear.
	Held int `json:"held,omitempty"`
}

// stateOf returns what was remembered for these folders.
func stateOf(accepted *sdk.Receipt, folders []*folder) state {
	h := fnv.New32a()
	for _, f := range folders {
		_, _ = h.Write([]byte(f.library.ID + "\x00" + f.path + "\x00"))
	}
	fresh := state{Of: h.Sum32(), Sent: make([]byte, (len(folders)+7)/8)}
	var s state
	if accepted == nil || json.Unmarshal(accepted.State, &s) != nil || s.Of != fresh.Of || len(s.Sent) != len(fresh.Sent) {
		return fresh
	}
	return s
}

func (s *state) encode() []byte {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil // numbers and bytes are always written
	}
	return raw
}

func (s *state) sent(i int) bool { return s.Sent[i/8]&(1<<(i%8)) != 0 }

func (s *state) setSent(i int, sent bool) {
	if sent {
		s.Sent[i/8] |= 1 << (i % 8)
	} else {
		s.Sent[i/8] &^= 1 << (i % 8)
	}
}
