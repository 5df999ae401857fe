package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store/rows"
	"github.com/hookarr/hookarr/sdk"
)

// Engine is a database: statements and River's clients. It decides nothing; Store does.
// All methods may be called concurrently.
type Engine interface {
	Reader

	// Migrate brings the schema, ours and then River's, to this version. Concurrent
	// calls wait for each other.
	Migrate(ctx context.Context) error
	// Schema returns the version that the database is of and the one that Migrate
	// brings it to.
	Schema(ctx context.Context) (have, want Schema, err error)
	// Guard reports whether what is committed now is found by the next process.
	Guard(ctx context.Context) error
	// Space returns what is free where the database is, or errors.ErrUnsupported where that
	// is not this machine's to know.
	Space(ctx context.Context) (Space, error)
	// Writable reports why nothing can be written, as far as can be known without writing.
	// Where it is not sure, a write has to tell.
	Writable(ctx context.Context) (sure bool, err error)
	// Unwritable returns what an error says that is of writes which are refused, with what
	// mends it, and nil for any other.
	Unwritable(err error) error
	// OpenQueue builds the River client that works jobs.
	OpenQueue(config *river.Config) (Queue, error)
	// ReturnJob makes a running job available where it was in its queue.
	ReturnJob(ctx context.Context, id int64) error
	// Wake has the workers of a queue look for jobs after a while.
	Wake(queue string, after time.Duration)
	// TellPaused tells the workers of a queue that it is paused or resumed.
	TellPaused(queue string, paused bool)
	Close() error

	// Outage reports whether an error is the database's, and not that of the rows at
	// hand.
	Outage(err error) bool
	// Write runs do in a transaction, and maybe again in another if that was undone.
	Write(ctx context.Context, do func(ctx context.Context, tx Tx) error) error

	// FindState, SaveState and Exclude are State, SaveState and Exclude of Store, ReadRows and
	// WriteRows those of Store.
	FindState(ctx context.Context) (State, error)
	SaveState(ctx context.Context, was, state State, tables []string) error
	Exclude(ctx context.Context, lease time.Duration, tell func(string)) (release func(context.Context) error, err error)
	ReadRows(ctx context.Context) (rows.Reader, error)
	WriteRows(ctx context.Context) (rows.Writer, error)

	// LoadWorks reads what attempts need, in the order of the ids; nil is not stored.
	LoadWorks(ctx context.Context, deliveries []uuid.UUID) ([]*Work, error)
	// LoadMembers reads the events of a delivery of a group, and LoadEvents events by their
	// ids, in the order of the ids: those that are stored, as far as an attempt needs. The
	// normalised forms that do not fit into most bytes are left out.
	LoadMembers(ctx context.Context, delivery uuid.UUID, most int) ([]event.Event, error)
	LoadEvents(ctx context.Context, ids []uuid.UUID, most int) ([]event.Event, error)
	// LoadRequest reads the request of an event, or ErrNotFound.
	LoadRequest(ctx context.Context, eventID uuid.UUID) (event.Request, error)

	// Reserve, Join, Beat, Leave, ReclaimDead and Reclaim are those of Store.
	Reserve() error
	Join(ctx context.Context, node string) error
	Beat(ctx context.Context, node string, deadAfter time.Duration) (Pulse, error)
	Leave(ctx context.Context, node string) error
	ReclaimDead(ctx context.Context, node string, deadAfter time.Duration) (int, error)
	Reclaim(ctx context.Context, node string, active []int64, olderThan time.Duration) (int, error)

	// AskCatchup, cursors and renames are those of Store.
	AskCatchup(ctx context.Context, source string) error
	FindCursor(ctx context.Context, source string) (Cursor, error)
	SaveCursor(ctx context.Context, source string, c Cursor) error
	ForgetCursor(ctx context.Context, source string) error
	// RenamesSince returns the normalised renames of a source whose ids are not below
	// since.
	RenamesSince(ctx context.Context, source string, since uuid.UUID) ([][]byte, error)

	// AskSnapshot inserts the job of a source's snapshot, or hurries the one that there is. It
	// reports whether that is under way.
	AskSnapshot(ctx context.Context, source string) (running bool, err error)
	// FindSnapshot returns the state of a source's snapshot, or ErrNotFound.
	FindSnapshot(ctx context.Context, source string) (Snapshot, error)
	// FindItems, FoundItems and GoneItems return items in no order, by parent and key, and by
	// run and key. CountGone leaves out what nothing was told of, and the files of titles
	// that are gone.
	FindItems(ctx context.Context, source string, keys []string) ([]Item, error)
	FoundItems(ctx context.Context, source string, limit int) ([]Item, error)
	GoneItems(ctx context.Context, source string, run int, titles bool, after Item, limit int) ([]Item, error)
	CountGone(ctx context.Context, source string, run int) (titles, files int, err error)
}

// Tx is a transaction. Whoever changes rows of several tables does it in the order
// actions, snapshots, targets, correlations, dedup, events, deliveries, folds, jobs, inventory, so that
// transactions cannot wait for each other in a circle.
type Tx interface {
	// FreeKeys deletes the dedup keys of a story.
	FreeKeys(ctx context.Context, source, story string) error
	// ClaimKeys takes the keys that are free or expired and returns whose each is then.
	// Claims are ordered by source and key, each once.
	ClaimKeys(ctx context.Context, claims []Claim) ([]uuid.UUID, error)
	DropKeys(ctx context.Context, source string, keys []string) error
	// DropKeysBelow is DropKeys for those keys whose events have ids below one.
	DropKeysBelow(ctx context.Context, source string, keys []string, id uuid.UUID) error
	// ShortenKey lets a key of an event expire no later than after a window.
	ShortenKey(ctx context.Context, source, key string, owner uuid.UUID, window time.Duration) error
	// FindTwin returns the event that accounts for a record or is to, or uuid.Nil.
	FindTwin(ctx context.Context, q TwinQuery) (uuid.UUID, error)

	// InsertEvents inserts events and deliveries that are not there and returns the ids
	// of those that were not.
	InsertEvents(ctx context.Context, events []*event.Event, deliveries []NewDelivery) (map[uuid.UUID]bool, error)
	// OpenGroup returns the open group of the delivery's target and route with a key, made
	// with the delivery's id where there is none, and keeps it open.
	OpenGroup(ctx context.Context, d event.Delivery, key string) (Group, error)
	JoinGroup(ctx context.Context, j Join) error
	// FlushGroup makes an open group due and returns its id, or uuid.Nil.
	FlushGroup(ctx context.Context, ref event.GroupRef) (uuid.UUID, error)
	// CloseGroup closes a group that is due, or, with early, any. It reports whether the group
	// is closed then.
	CloseGroup(ctx context.Context, id uuid.UUID, early bool) (bool, error)
	// ClaimFold notes a delivery of a file that was deleted for an upgrade and returns that
	// of the other side, or uuid.Nil.
	ClaimFold(ctx context.Context, c FoldClaim) (uuid.UUID, error)
	// MergePending makes a delivery, that of a digest of about limit events, of pending ones
	// of a target that no worker has, but for some, for what may crash its plugin, and for
	// what waits for its own time: digests by the clock, and deletions that may be folded.
	// They are superseded by it. It returns which, none or several. DropJobsOf deletes their
	// jobs.
	MergePending(ctx context.Context, target string, id uuid.UUID, except []uuid.UUID, limit int) ([]uuid.UUID, error)
	DropJobsOf(ctx context.Context, target string, deliveries []uuid.UUID) error

	// LockCorrelation returns a message's row, or one without a message, and keeps it, with
	// the database's time.
	LockCorrelation(ctx context.Context, target, key string) (Correlation, time.Time, error)
	SaveCorrelation(ctx context.Context, c *Correlation) error
	CorrelationEvents(ctx context.Context, target, key string) ([]uuid.UUID, error)
	// AddCorrelationEvents notes that a message tells events, if there is one.
	AddCorrelationEvents(ctx context.Context, target, key string, events []uuid.UUID) error
	ForgetCorrelationEvents(ctx context.Context, target, key string) error

	// LockDeferred reports whether the event is deferred, and keeps it so. ErrNotFound
	// is an event that is not stored.
	LockDeferred(ctx context.Context, id uuid.UUID) (bool, error)
	// DecodeEvent gives an event its state and its decoded form.
	DecodeEvent(ctx context.Context, e *event.Event) error
	// KeepRequests gives events that came by catch-up and have no request the requests
	// of their webhooks, and returns the ids of those.
	KeepRequests(ctx context.Context, twins []*event.Event) ([]uuid.UUID, error)
	InsertRepetitions(ctx context.Context, r []Repetition) error
	// EnrichEvent stores the normalised form, unless it is nil, makes the event's pending
	// deliveries due that were not attempted yet, and returns them.
	EnrichEvent(ctx context.Context, id uuid.UUID, normalized []byte) ([]event.Delivery, error)

	// LockSnapshot returns the state of a source's snapshot, made where there is none, and
	// keeps it.
	LockSnapshot(ctx context.Context, source string) (Snapshot, error)
	SaveSnapshot(ctx context.Context, state *Snapshot) error
	SaveItems(ctx context.Context, source string, items []Item) error
	// SeeItems notes that a run has seen items.
	SeeItems(ctx context.Context, source string, keys []string, run int) error
	DropItems(ctx context.Context, source string, keys []string) error
	// DropFilesOf forgets the files of titles that a run has not seen.
	DropFilesOf(ctx context.Context, source string, titles []string, run int) error

	// LockTargets returns the rows of targets, made where there is none, and the
	// database's time.
	LockTargets(ctx context.Context, names []string) (map[string]*Target, time.Time, error)
	SaveTarget(ctx context.Context, t *Target) error
	// PauseQueue pauses or resumes River's queue, if it is there.
	PauseQueue(ctx context.Context, queue string, paused bool) error
	// RetryNow makes the pending deliveries of a target due that wait for another attempt,
	// in the places that their first one had.
	RetryNow(ctx context.Context, target string) error
	// NextInTurn returns the delivery of a target in a live state that is due first, other
	// than one, those that workers have and digests before their time, or uuid.Nil.
	NextInTurn(ctx context.Context, target string, state event.DeliveryState, other uuid.UUID) (uuid.UUID, error)

	// SettleDeliveries changes deliveries in live states, each named once, and returns the
	// ids of those that were. SaveProofs changes what is known of their proofs.
	SettleDeliveries(ctx context.Context, s []*Settlement) (map[uuid.UUID]bool, error)
	SaveProofs(ctx context.Context, s []*Settlement) error
	// InsertAttempts inserts attempts. A question for proof takes the place of the last of
	// its attempt that was answered alike.
	InsertAttempts(ctx context.Context, attempts []*event.Attempt) error
	// ExpireDeliveries makes at most limit deliveries of a target in a live state that were
	// due before maxAge dead letters, open groups that no event has joined since then.
	ExpireDeliveries(ctx context.Context, target string, state event.DeliveryState, maxAge time.Duration, reason string, limit int) (int, error)

	// InsertJobs inserts jobs of rows that were just inserted.
	InsertJobs(ctx context.Context, jobs []river.InsertManyParams) error
	// AddJobs inserts jobs that are not live and returns how many those are.
	AddJobs(ctx context.Context, jobs []river.InsertManyParams) (int, error)
	// DeleteJobs deletes running jobs.
	DeleteJobs(ctx context.Context, ids []int64) error
	// DelayJobs lets running jobs wait.
	DelayJobs(ctx context.Context, delays []JobDelay) error
	// Overdue returns deliveries of a target in the state of after, a live one, that were
	// due before grace, after it, in the order of their times and ids.
	Overdue(ctx context.Context, target string, grace time.Duration, after event.Delivery, limit int) ([]event.Delivery, error)
	// DeferredOf returns the oldest deferred events of a source received before grace,
	// after an id.
	DeferredOf(ctx context.Context, source string, grace time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error)

	InsertAction(ctx context.Context, a *Action) error
	// LockAction returns an action and keeps it as it is, or ErrNotFound.
	LockAction(ctx context.Context, id uuid.UUID) (Action, error)
	// SaveAction changes the state, the cursor, the counts and the error of an action.
	SaveAction(ctx context.Context, a *Action) error
	InsertChanges(ctx context.Context, changes []ActionChange) error
	// OpenActions returns actions that are running, oldest first.
	OpenActions(ctx context.Context, limit int) ([]uuid.UUID, error)
	// LockDeliveries returns those of the deliveries that are stored, as far as an operator
	// needs: id, event, target, state, reason, and how often each was attempted and asked for.
	LockDeliveries(ctx context.Context, ids []uuid.UUID) ([]event.Delivery, error)
	// KeepEvents returns the states of those events that are stored, and lets them live as
	// long as new ones. KeepEventsOf does it for deliveries in a state.
	KeepEvents(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]event.State, error)
	KeepEventsOf(ctx context.Context, deliveries []uuid.UUID, state event.DeliveryState) error
	// RetryDeliveries makes deliveries pending and due, and begins their schedule and their
	// age anew. What crashed its plugin is attempted alone.
	RetryDeliveries(ctx context.Context, ids []uuid.UUID) error
	// CancelDeliveries gives deliveries up, for their reasons.
	CancelDeliveries(ctx context.Context, deliveries []event.Delivery) error
	MoveDeliveries(ctx context.Context, ids []uuid.UUID, target string) error

	// LiveJobs returns the ids of jobs, inserted where they are not live.
	LiveJobs(ctx context.Context, jobs []river.InsertManyParams) ([]int64, error)
	// HurryJobs makes jobs due that wait for their time, DropJobs deletes jobs and MoveJobs
	// moves them to another queue. Jobs that run are left alone.
	HurryJobs(ctx context.Context, ids []int64) error
	DropJobs(ctx context.Context, ids []int64) error
	MoveJobs(ctx context.Context, ids []int64, queue string) error

	// PurgeCorrelations deletes at most limit messages that did not change for longer, and
	// PurgeFolds at most limit folds that have expired.
	PurgeCorrelations(ctx context.Context, olderThan time.Duration, limit int) (int, error)
	PurgeFolds(ctx context.Context, limit int) (int, error)
	// InsertSilence inserts a silence that begins now and ends after length or, where that
	// is 0, at its EndsAt. It returns how many are active then.
	InsertSilence(ctx context.Context, n *Silence, length time.Duration) (active int, err error)
	// ExpireSilence ends a silence now, and reports whether it was not over. ErrNotFound is
	// one that is not stored.
	ExpireSilence(ctx context.Context, id uuid.UUID) (n Silence, was bool, err error)
	// CountSilenced adds to the counts of silences. It is the last that a transaction does.
	CountSilenced(ctx context.Context, counts map[uuid.UUID]int) error

	// InsertSession inserts a session that begins now, and TouchSession notes its use now.
	InsertSession(ctx context.Context, n *Session) error
	TouchSession(ctx context.Context, id SecretID) error
	// DropSessions deletes those of the sessions that are there and have not expired, and
	// returns how many. DropOtherSessions does it for all but one, and deletes the links.
	DropSessions(ctx context.Context, ids []SecretID) (int, error)
	DropOtherSessions(ctx context.Context, but SecretID) (int, error)
	InsertLink(ctx context.Context, id SecretID, who string) (expires time.Time, err error)
	// TakeLink deletes a link that has not expired and returns whose it is, or ErrNotFound.
	TakeLink(ctx context.Context, id SecretID) (who string, err error)
	// PurgeSessions deletes at most limit sessions that have expired, and as many links.
	PurgeSessions(ctx context.Context, limit int) (int, error)

	// PurgeSilences deletes at most limit silences that ended longer ago.
	PurgeSilences(ctx context.Context, olderThan time.Duration, limit int) (int, error)
	// PurgeSnapshots deletes at most limit items of snapshots that were not read for longer,
	// or, where they have none, the snapshots.
	PurgeSnapshots(ctx context.Context, olderThan time.Duration, limit int) (int, error)
	// PurgeActions deletes at most limit actions that ended longer ago.
	PurgeActions(ctx context.Context, olderThan time.Duration, limit int) (int, error)
	// PurgeKeys and PurgeDead delete at most limit rows: keys that have expired, and dead
	// letters that are older, whose events it has looked at again.
	PurgeKeys(ctx context.Context, limit int) (int, error)
	PurgeDead(ctx context.Context, olderThan time.Duration, limit int) (Deleted, error)
	// PurgeEvents looks at no more than limit events that are older. It deletes those that
	// nothing needs, and looks at the others again after a while. It returns what it
	// deleted and how many it looked at.
	PurgeEvents(ctx context.Context, r Retention, limit int) (deleted Deleted, seen int, err error)
}

// Claim is a dedup key that a batch takes, once, for its first event that brings it.
type Claim struct {
	Source, Key, Story string
	Window             time.Duration
	Owner              uuid.UUID
}

// JobDelay is how long a job waits from now.
type JobDelay struct {
	JobID int64
	Delay time.Duration
}

// NewDelivery is a delivery to insert, due after Wait.
type NewDelivery struct {
	event.Delivery
	Wait time.Duration
}

// TwinQuery asks for the event of a record: by the record itself, by what it tells and
// when its webhook may have come, or by the keys of its webhook.
type TwinQuery struct {
	Source, ReadKey, Fingerprint string
	From, To                     time.Time
	Keys                         []string
}

// Repetition is a request or record that told what a stored event had told.
type Repetition struct {
	// ID is that of the event that it would have been.
	ID, EventID uuid.UUID
	SeenAt      time.Time
	Origin      sdk.Origin
}

// Queue is the part of a River client that does not depend on the database.
type Queue interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	Queues() *river.QueueBundle
	PeriodicJobs() *river.PeriodicJobBundle
}
