// Package storetest holds the databases to one contract.
package storetest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/core/event"
	"github.com/hookarr/hookarr/core/store"
	"github.com/hookarr/hookarr/sdk"
)

// Database is a fresh database under test.
type Database struct {
	Store *store.Store
	// Exec runs a statement beside the store and returns how many rows it changed.
	Exec func(t *testing.T, statement string) int64
	// Written counts how often rows of deliveries and of jobs were written.
	Written func(t *testing.T) int64
	// Reopen opens the database a second time.
	Reopen func(t *testing.T) *store.Store
}

// Test runs the contract. Open returns a database that is not migrated.
func Test(t *testing.T, open func(t *testing.T) Database) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Database){
		"Migrate":                    testMigrate,
		"NewerDatabaseIsRefused":     testNewer,
		"AcceptKeepsEverything":      testAcceptKeeps,
		"AcceptConcurrently":         testAcceptConcurrently,
		"Duplicates":                 testDuplicates,
		"KeysExpire":                 testKeysExpire,
		"RepetitionRenewsNothing":    testRepetitionRenewsNothing,
		"HealthMayBreakAgain":        testClears,
		"ForeignText":                testForeignText,
		"Resolve":                    testResolve,
		"Settle":                     testSettle,
		"FinalStatesStay":            testFinalStatesStay,
		"HoldPausesTheQueue":         testHold,
		"QueuesAgreeWithHolds":       testAgree,
		"ProbesTakeTurns":            testProbe,
		"SettleChangesTheTarget":     testSettleChanges,
		"SlotsKeepTheRate":           testSlots,
		"ExpireDeliveries":           testExpire,
		"JobsKeepTheirPlace":         testPlace,
		"HeldQueueIsLeftAlone":       testHeldQueueIsLeftAlone,
		"OneJobEach":                 testOneJobEach,
		"ReconcileEnrichment":        testReconcileWaitsForEnrichment,
		"ReconcileManySlices":        testReconcileManySlices,
		"ReconcileOneMoment":         testReconcileOneMoment,
		"ReconcileWritesNothing":     testReconcileWritesNothing,
		"Repetitions":                testRepetitions,
		"ReconcileGivesJobsBack":     testReconcile,
		"ReclaimWhatIsNotRunning":    testReclaim,
		"PurgeKeepsWhatIsNeeded":     testPurge,
		"Lists":                      testLists,
		"ListsWithFilters":           testFilters,
		"ReadNormalized":             testReadNormalized,
		"JobsAreWorkedOnceCommitted": testWork,
		"SettleTogether":             testSettleTogether,
		"AcceptAgain":                testAcceptAgain,
		"LongText":                   testLongText,
		"PastEvents":                 testPastEvents,
		"LateWebhookOfAPastEvent":    testLateWebhook,
		"WebhookOfAnotherTime":       testWebhookOfAnotherTime,
		"Renames":                    testRenames,
		"Cursors":                    testCursors,
		"ForgetCursor":               testForgetCursor,
		"AskCatchupOnce":             testAskCatchup,
		"ClaimKeys":                  testClaim,
		"Enrich":                     testEnrich,
		"Retry":                      testRetry,
		"Cancel":                     testCancel,
		"Move":                       testMove,
		"Replay":                     testReplay,
		"BulkAction":                 testBulkAction,
		"Requests":                   testRequests,
		"Search":                     testSearch,
		"SearchStops":                testSearchStops,
		"ListsByTime":                testTimes,
		"Prefixes":                   testPrefixes,
		"LastSeen":                   testLastSeen,
		"Group":                      testGroup,
		"GroupWaits":                 testGroupWaits,
		"GroupMax":                   testGroupMax,
		"GroupIsSplit":               testGroupIsSplit,
		"Fold":                       testFold,
		"Message":                    testMessage,
		"Digest":                     testDigest,
		"ProbeLeavesDigests":         testProbeLeavesDigests,
		"PurgeKeepsGroups":           testPurgeKeepsGroups,
		"GroupRaces":                 testGroupRaces,
		"GroupAgain":                 testGroupAgain,
		"GroupKeepsItsTime":          testGroupKeepsItsTime,
		"OpenGroupsAreOperated":      testOpenGroupsAreOperated,
		"DigestOfMany":               testDigestOfMany,
		"ShownBesideHolds":           testShownBesideHolds,
		"Silences":                   testSilences,
		"SilencesCount":              testSilencesCount,
		"SilencesAreBounded":         testSilencesAreBounded,
		"Inventory":                  testInventory,
		"SnapshotTells":              testSnapshotTells,
		"AskSnapshot":                testAskSnapshot,
		"PurgeSnapshots":             testPurgeSnapshots,
		"AskSnapshotAtItsEnd":        testAskSnapshotOfAJobThatEnds,
		"Verifying":                  testVerifying,
		"VerifyingCounts":            testVerifyingCounts,
		"VerifyingIsHeld":            testVerifyingIsHeld,
		"VerifyingIsOperated":        testVerifyingIsOperated,
		"HandedBack":                 testHandedBack,
		"HandedBackRaces":            testHandedBackRaces,
		"OvertakenAnswers":           testOvertakenAnswers,
		"PurgeOfReadSnapshots":       testPurgeOfReadSnapshots,
		"Sessions":                   testSessions,
		"SessionsExpire":             testSessionsExpire,
		"Revoke":                     testRevoke,
		"Links":                      testLinks,
		"LinkRaces":                  testLinkRaces,
		"Activity":                   testActivity,
		"ActivityIsBounded":          testActivityIsBounded,
		"OldestPending":              testOldestPending,
		"ChangedDeliveries":          testChangedDeliveries,
		"SourceMarks":                testSourceMarks,
		"Pauses":                     testPauses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			if name != "Migrate" {
				require.NoError(t, db.Store.Migrate(t.Context()))
			}
			test(t, db)
		})
	}
}

// acceptance is a routed event with a delivery to each target.
func acceptance(title string, targets ...string) *store.Acceptance {
	a := &store.Acceptance{Event: event.Event{
		ID: event.NewID(), Source: "radarr", State: event.Routed, Origin: sdk.OriginWebhook,
		ReceivedAt: time.Now().UTC().Truncate(time.Microsecond),
		Request: event.Request{
			Method: "POST", Query: "a=b", Header: http.Header{"User-Agent": {"Radarr/6"}}, Body: []byte(`{"raw":"` + title + `"}`),
		},
		Type: sdk.TypeMediaImported, Title: title, Summary: "Imported " + title, Fingerprint: title, CorrelationKey: "story",
		Traceparent: "00-" + strings.Repeat("4b", 16) + "-" + strings.Repeat("a2", 8) + "-01",
		Normalized:  []byte(`{"title":"` + title + `"}`),
	}}
	for _, target := range targets {
		a.Deliveries = append(a.Deliveries, event.Delivery{ID: event.NewID(), EventID: a.Event.ID, Target: target, Route: "all"})
	}
	return a
}

func accept(t *testing.T, s *store.Store, a *store.Acceptance) store.Accepted {
	t.Helper()
	accepted, err := s.Accept(t.Context(), a)
	require.NoError(t, err)
	return accepted
}

func load(t *testing.T, s *store.Store, id uuid.UUID) store.Work {
	t.Helper()
	work, err := s.LoadWork(t.Context(), id)
	require.NoError(t, err)
	return work
}

func settle(t *testing.T, s *store.Store, settlement store.Settlement) {
	t.Helper()
	_, err := s.Settle(t.Context(), &settlement)
	require.NoError(t, err)
}

func attempt(id uuid.UUID, number int, class sdk.Class, counted bool) *event.Attempt {
	return &event.Attempt{
		DeliveryID: id, Number: number, StartedAt: time.Now().UTC().Truncate(time.Microsecond), Elapsed: 1500 * time.Microsecond,
		Class: class, Status: 200, Message: "m", Excerpt: "e", Counted: counted,
	}
}

// jobs counts the jobs of a queue that will run.
func jobs(t *testing.T, db Database, queue string) int64 {
	t.Helper()
	return db.Exec(t, "UPDATE river_job SET priority = priority WHERE queue = '"+queue+"' AND state = 'available'")
}
