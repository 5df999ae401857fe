// Package paths finds out whether a media server knows the folders of applications by the
// paths that a target's map makes of them, and which map would do. What proves a map are
// titles that both sides have: an application and the server each say in which folder.
package paths

import (
	"time"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/pathmap"
)

// Verdict sums a report up.
type Verdict string

// The verdicts.
const (
	// Right: the titles are where the map in use says, and every root folder reaches a
	// library.
	Right Verdict = "right"
	// Wrong: the titles prove another map.
	Wrong Verdict = "wrong"
	// Incomplete: what titles say agrees with the map in use, but a root folder reaches no
	// library.
	Incomplete Verdict = "incomplete"
	// Unproven: the server has none of the titles, or could not be asked for any.
	Unproven Verdict = "unproven"
)

// Source is what an application says.
type Source struct {
	Name string
	sdk.Folders

	// Silent says that it cannot tell folders, and Problem why it could not be asked.
	Silent  bool
	Problem string
}

// Event is a stored event that goes to the target.
type Event struct {
	ID     string    `json:"id"`
	Source string    `json:"source"`
	Time   time.Time `json:"time"`
	Type   sdk.Type  `json:"type"`
	Title  string    `json:"title"`
	Path   string    `json:"path" doc:"The folder as the application writes it."`
}

// Evidence is everything that a report is made from.
type Evidence struct {
	Target, Plugin string
	// Sources are the applications whose events go to the target.
	Sources []Source
	// Server is what the target says: the folders of its libraries, the map in use, and
	// those of the sources' titles that it has.
	Server sdk.Folders
	Events []Event
}

// Report is what is right and wrong about the paths of a target.
type Report struct {
	Target  string  `json:"target"`
	Plugin  string  `json:"plugin,omitempty"`
	Verdict Verdict `json:"verdict" enum:"right,wrong,incomplete,unproven" doc:"right: titles prove the map in use; wrong: they prove another; incomplete: a root folder reaches no library; unproven: the server has none of the titles."`
	Summary string  `json:"summary" doc:"One sentence for people."`

	Map []pathmap.Pair `json:"map" nullable:"false" doc:"The map in use."`
	// Proposed is empty when the map in use is to stay.
	Proposed []Proposal `json:"proposed" nullable:"false" doc:"The map that would do; empty when the one in use does."`
	YAML     string     `json:"yaml,omitempty" doc:"The proposed map, to be put into the target's configuration."`

	Titles        Titles         `json:"titles"`
	Disagreements []Disagreement `json:"disagreements" nullable:"false" doc:"Titles that the server has elsewhere than the proposed map, or else the one in use, leads to."`
	Sources       []Asked        `json:"sources" nullable:"false" doc:"The applications whose events go to the target."`
	Roots         []Root         `json:"roots" nullable:"false"`
	Libraries     []Library      `json:"libraries" nullable:"false"`
	Events        StoredEvents   `json:"events"`
}

// Proposal is a pair of the proposed map.
type Proposal struct {
	pathmap.Pair

	Titles int    `json:"titles" doc:"How many titles it leads to the right folder."`
	Why    string `json:"why" doc:"What speaks for it."`
}

// Titles counts what was compared.
type Titles struct {
	Asked int `json:"asked" doc:"Titles that applications named."`
	Found int `json:"found" doc:"Those that the server has."`
	Right int `json:"right" doc:"Those that the map in use leads to the right folder."`
	// Agree equals Right when nothing is proposed.
	Agree int `json:"agree" doc:"Those that the proposed map, or else the one in use, leads to the right folder."`
}

// Disagreement is a title that the server has elsewhere than the map says.
type Disagreement struct {
	Source string `json:"source"`
	Title  string `json:"title"`
	Path   string `json:"path" doc:"The folder as the application writes it."`
	Mapped string `json:"mapped" doc:"Where the map leads."`
	Server string `json:"server" doc:"Where the server has it."`
	How    string `json:"how" doc:"How they differ."`
}

// Asked is an application that was asked.
type Asked struct {
	Name    string `json:"name"`
	Titles  int    `json:"titles"`
	Found   int    `json:"found" doc:"How many of the titles the server has."`
	Silent  bool   `json:"silent,omitempty" doc:"It cannot tell: its plugin knows no root folders, or base_url and api_key are not set."`
	Problem string `json:"problem,omitempty" doc:"Why it could not be asked."`
}

// Root is a root folder of an application.
type Root struct {
	Source    string `json:"source"`
	Path      string `json:"path"`
	Kind      string `json:"kind,omitempty"`
	FreeBytes int64  `json:"free_bytes,omitempty"`
	Reach
	// Then is what the proposed map makes of it; nil when nothing is proposed.
	Then *Reach `json:"then,omitempty" doc:"The same with the proposed map."`
}

// Reach is where a root folder leads.
type Reach struct {
	Mapped  string `json:"mapped" doc:"The path for the server."`
	Library string `json:"library,omitempty" doc:"The library that has it."`
	Problem string `json:"problem,omitempty" doc:"What is wrong with it."`
}

// Library is a folder of one of the server's libraries.
type Library struct {
	Name string `json:"name,omitempty"`
	Path string `json:"path"`
	Kind string `json:"kind,omitempty"`
	// FedBy are the root folders that lead into it, with the proposed map where there is one.
	FedBy   []string `json:"fed_by" nullable:"false" doc:"The root folders that lead into it with the proposed map, or else the one in use."`
	Problem string   `json:"problem,omitempty"`
}

// StoredEvents are stored events whose paths were tried.
type StoredEvents struct {
	Tried  int `json:"tried" doc:"Stored events of the last days that were looked at."`
	Missed int `json:"missed" doc:"Those whose path is in no library by the map in use."`
	Then   int `json:"then" doc:"Those whose path is in no library by the proposed map."`
	// Examples are the newest missed ones, one of each path, at most 10.
	Examples []MissedEvent `json:"examples" nullable:"false"`
}

// MissedEvent is an event whose path is in no library.
type MissedEvent struct {
	Event

	Mapped string `json:"mapped"`
}

// Problems are what a person has to mend, each in a sentence, for the map in use.
func (r *Report) Problems() []string {
	var all []string
	for _, s := range r.Sources {
		if s.Problem != "" {
			all = append(all, "source "+s.Name+" could not be asked: "+s.Problem)
		}
	}
	return append(all, r.trouble(r.Summary)...)
}

// Trouble is Problems in words that stay the same as long as what is wrong does, less the
// sources that could not be asked, which may be over in a moment.
func (r *Report) Trouble() []string {
	return r.trouble("titles prove another path map than the one in use")
}

func (r *Report) trouble(wrong string) []string {
	var all []string
	if r.Verdict == Wrong {
		all = append(all, wrong)
	}
	for _, f := range r.Roots {
		if f.Problem != "" {
			all = append(all, "root folder "+f.Path+" of "+f.Source+": "+f.Problem)
		}
	}
	for _, l := range r.Libraries {
		if l.Problem != "" {
			all = append(all, "library folder "+l.Path+": "+l.Problem)
		}
	}
	return all
}
