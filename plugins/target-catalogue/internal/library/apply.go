package library

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/hookarr/hookarr/sdk"
)

// Shelf keeps what one source holds. What is not kept is nil; what is returned is the
// caller's to change, and kept by Save. What was saved is seen by the next call.
type Shelf interface {
	Title(ctx context.Context, key Key) (*Title, error)
	Part(ctx context.Context, key Key) (*Part, error)
	File(ctx context.Context, id string) (*File, error)
	// Claims returns those at a path, in the order of their versions.
	Claims(ctx context.Context, path string) ([]Claim, error)
	// MovedTo returns those by which files came from elsewhere.
	MovedTo(ctx context.Context, path string) ([]Claim, error)
	// PartsOf and FilesOf return all of a title.
	PartsOf(ctx context.Context, title Key) ([]Key, error)
	FilesOf(ctx context.Context, title Key) ([]string, error)
	// TitlesIn returns those of a kind in a folder.
	TitlesIn(ctx context.Context, kind, folder string) ([]Key, error)

	SaveTitle(ctx context.Context, t *Title) error
	SavePart(ctx context.Context, p *Part) error
	SaveFile(ctx context.Context, f *File) error
	// SaveClaim replaces one of the same path and version.
	SaveClaim(ctx context.Context, c Claim) error
}

// Concerns reports whether an event says anything of a library.
func Concerns(e sdk.Event) bool {
	// What is held is told by the applications: other targets only tell what became of it.
	if e.Origin == sdk.OriginTarget || e.Media == nil || e.Media.ID == "" || e.Media.Kind == "" {
		return false
	}
	switch e.Type {
	case sdk.TypeMediaAdded, sdk.TypeMediaUpdated, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted,
		sdk.TypeFileRenamed, sdk.TypeFileRetagged, sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade, sdk.TypeMediaDeleted:
		return true
	default:
		return false
	}
}

// Apply puts what an event says into its source's shelf. It returns what that changed, in
// the order in which it can be told: what is gone, then what is new.
func Apply(ctx context.Context, shelf Shelf, e sdk.Event) ([]Change, error) {
	if !Concerns(e) {
		return nil, nil
	}
	a := &application{
		shelf: shelf, event: e, version: VersionOf(e), title: Key{e.Media.Kind, e.Media.ID},
		titles: map[Key]*held[Title]{}, parts: map[Key]*held[Part]{}, files: map[string]*held[File]{}, claims: map[string]Claim{},
	}
	if err := a.learn(ctx); err != nil {
		return nil, err
	}
	if err := a.conclude(ctx); err != nil {
		return nil, err
	}
	return a.changes(), a.save(ctx)
}

// application is one event on its way into a shelf.
type application struct {
	shelf   Shelf
	event   sdk.Event
	version Version
	title   Key

	titles map[Key]*held[Title]
	parts  map[Key]*held[Part]
	files  map[string]*held[File]
	// claims are the new ones by path.
	claims map[string]Claim
	// emptied are titles that lost things which the event does not name, or may have.
	emptied []Key
}

// learn takes over what the event says.
func (a *application) learn(ctx context.Context) error {
	title, err := a.titleOf(ctx, a.title)
	if err != nil {
		return err
	}
	title.take(&title.row.Fields, a.version, ofTitle(a.event))
	switch a.event.Type {
	case sdk.TypeMediaDeleted:
		return a.learnDeleted(ctx, title)
	case sdk.TypeFileDeleted, sdk.TypeFileDeletedForUpgrade:
		return a.learnGone(ctx)
	default:
	}
	title.dirty = title.dirty || a.version > title.row.Seen
	title.row.seen(a.version)
	if err := a.learnParts(ctx, title); err != nil {
		return err
	}
	switch a.event.Type {
	case sdk.TypeFileRenamed:
		return a.learnRenamed(ctx)
	case sdk.TypeFileRetagged, sdk.TypeMediaImported, sdk.TypeMediaUpgraded, sdk.TypeImportCompleted, sdk.TypeMediaUpdated:
		return errors.Join(a.learnGone(ctx), a.learnFiles(ctx))
	default:
		return nil
	}
}

// learnDeleted takes a title away with all that belongs to it, or an album.
func (a *application) learnDeleted(ctx context.Context, title *held[Title]) error {
	a.emptied = append(a.emptied, a.title)
	if !ofWork(a.event) {
		title.row.gone(a.version)
		title.dirty = true
		if a.title.Kind == "author" && a.event.Media.Path != "" {
			// Events of books name no author. Their folder is the author's.
			a.claim(Claim{Path: a.event.Media.Path})
			books, err := a.shelf.TitlesIn(ctx, "book", a.event.Media.Path)
			a.emptied = append(a.emptied, books...)
			return err
		}
		return nil
	}
	for _, s := range ofParts(a.event) {
		if s.Kind == KindAlbum {
			part, err := a.partOf(ctx, s.Key)
			if err != nil {
				return err
			}
			part.row.gone(a.version)
			part.dirty = true
		}
	}
	return a.learnGone(ctx)
}

// learnParts takes over the episodes, albums and tracks. The lists of a snapshot are
// complete: when one has changed, what is not in it is gone.
func (a *application) learnParts(ctx context.Context, title *held[Title]) error {
	for _, s := range ofParts(a.event) {
		part, err := a.partOf(ctx, s.Key)
		if err != nil {
			return err
		}
		part.take(&part.row.Fields, a.version, s.statement)
		part.dirty = part.dirty || a.version > part.row.Seen
		part.row.seen(a.version)
	}
	for _, kind := range []string{KindEpisode, KindAlbum, KindTrack, listedIDs} {
		if a.event.Type != sdk.TypeMediaUpdated || !slices.Contains(a.event.Fields, kind+"s") || a.version <= title.row.Listed[kind] {
			continue
		}
		before := title.row.IDs()
		title.row.list(kind, a.version)
		title.dirty = true
		if kind != listedIDs {
			a.emptied = append(a.emptied, a.title)
			continue
		}
		for service := range before {
			if _, ok := title.row.IDs()[service]; !ok {
				title.fields = append(title.fields, idPrefix+service)
			}
		}
	}
	return nil
}

// learnFiles takes over files that are there.
func (a *application) learnFiles(ctx context.Context) error {
	parts := map[string][]string{}
	for _, s := range ofParts(a.event) {
		parts[s.Kind] = append(parts[s.Kind], s.ID)
	}
	for _, f := range a.event.Files {
		imports := a.event.Type != sdk.TypeFileRetagged
		id := f.ID
		if id == "" && f.Path != "" && imports {
			id = byPath + f.Path + "@" + string(a.version)
		}
		if id == "" {
			continue // who is retagged is not known by the path: it may be another by now
		}
		file, err := a.fileOf(ctx, id)
		if err != nil {
			return err
		}
		file.take(&file.row.Fields, a.version, ofFile(f, a.event.Type == sdk.TypeMediaUpdated))
		a.placed(file, f.Path)
		if !imports {
			continue
		}
		file.take(&file.row.Fields, a.version, statement{fieldTitle: a.titleJSON()})
		if file.row.Added == "" || a.version < file.row.Added {
			file.row.Added, file.dirty = a.version, true
		}
		for kind, ids := range parts {
			// Which of several files holds which of several parts is not said; but an
			// import is of one album.
			if len(a.event.Files) > 1 && (kind != KindAlbum || len(ids) > 1) {
				continue
			}
			if file.row.link(a.version, kind, ids) {
				file.dirty = true
				file.fields = append(file.fields, kind+"s")
			}
		}
	}
	return nil
}

// learnRenamed takes over new paths: by the files' ids, or else by the old paths.
func (a *application) learnRenamed(ctx context.Context) error {
	for i, r := range a.event.RenamedFiles {
		if r.To == "" {
			continue
		}
		var known sdk.File
		if len(a.event.Files) == len(a.event.RenamedFiles) {
			known = a.event.Files[i]
		}
		if known.ID == "" {
			if r.From != "" && r.From != r.To {
				a.claim(Claim{Path: r.From, MovedTo: r.To})
				a.claim(Claim{Path: r.To})
			}
			continue
		}
		file, err := a.fileOf(ctx, known.ID)
		if err != nil {
			return err
		}
		file.take(&file.row.Fields, a.version, ofFile(known, false))
		if r.From != "" {
			a.claim(Claim{Path: r.From})
		}
		a.placed(file, r.To)
	}
	return nil
}

// learnGone takes files away: by their ids, or else by their paths.
func (a *application) learnGone(ctx context.Context) error {
	for _, f := range a.event.DeletedFiles {
		if f.ID == "" {
			if f.Path != "" {
				a.claim(Claim{Path: f.Path})
			}
			continue
		}
		file, err := a.fileOf(ctx, f.ID)
		if err != nil {
			return err
		}
		// The path stays as it is: the file that took its place may be there already.
		file.take(&file.row.Fields, a.version, ofFile(f, false))
		file.take(&file.row.Fields, weak+a.version, statement{fieldTitle: a.titleJSON()})
		file.row.gone(a.version)
		file.dirty = true
	}
	return nil
}

// placed notes that a file is there, at a path.
func (a *application) placed(f *held[File], path string) {
	f.dirty = f.dirty || a.version > f.row.Seen
	f.row.seen(a.version)
	// Whose title it is, is known best by the event that imported it.
	f.take(&f.row.Fields, weak+a.version, statement{fieldTitle: a.titleJSON()})
	if path == "" {
		return
	}
	a.claim(Claim{Path: path, File: f.row.ID})
	if a.version > f.row.Took {
		f.row.Took, f.row.TookAt, f.dirty = a.version, path, true
	}
}

// claim notes who is at a path. What one event says of a path in several places is one
// claim: two files may change places.
func (a *application) claim(c Claim) {
	c.Said = a.version
	if old, ok := a.claims[c.Path]; ok {
		c.File = max(c.File, old.File)
		if c.MovedTo == "" {
			c.MovedTo = old.MovedTo
		}
	}
	a.claims[c.Path] = c
}

func (a *application) titleJSON() json.RawMessage {
	raw, err := json.Marshal(a.title)
	if err != nil {
		return json.RawMessage(null)
	}
	return raw
}

// byPath begins the ids of files that came without one. They are known by where they came
// to, and when: another may come there once they have moved.
const byPath = "path:"

func number(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

func (a *application) save(ctx context.Context) error {
	var errs []error
	for _, t := range a.titles {
		if t.dirty || t.row.Held != t.was {
			errs = append(errs, a.shelf.SaveTitle(ctx, t.row))
		}
	}
	for _, p := range a.parts {
		if p.dirty || p.row.Held != p.was {
			errs = append(errs, a.shelf.SavePart(ctx, p.row))
		}
	}
	for _, f := range a.files {
		if f.dirty || f.row.Held != f.was || f.row.Path != f.before {
			errs = append(errs, a.shelf.SaveFile(ctx, f.row))
		}
	}
	return errors.Join(errs...)
}
