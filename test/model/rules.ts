/**
 * What the promise rests on, one rule each. The model takes its protocol from here: breaking one shows what it
 * is there for.
 */
export interface Rules {
  /** Ingest answers the collector only after JetStream's ack. */
  readonly answerAfterPublishAck: boolean;
  /** JetStream acks a batch only when it is on the disk. */
  readonly syncBeforePublishAck: boolean;
  /** JetStream hands a batch out only when it is on the disk. */
  readonly syncBeforeDelivery: boolean;
  /** The collector answers from its spool only when the batch is on the disk. */
  readonly syncBeforeSpoolAck: boolean;
  /** A batch keeps its id over all its ways. */
  readonly batchKeepsId: boolean;
  /** An event that came with an id claims it in the transaction of its row. */
  readonly eventKeys: boolean;
  /** A batch's line in the ledger is written in the transaction of its rows. */
  readonly ledgerInTransaction: boolean;
  /** The position is moved from the value that the writer knows, and else nothing is committed. */
  readonly fencing: boolean;
  /** A partition is taken up from the position in the database, not from what JetStream knows to be acked. */
  readonly positionFromDatabase: boolean;
  /** JetStream is acked after the commit. */
  readonly commitBeforeStreamAck: boolean;
  /** A batch that cannot be processed is in the dead-letter stream before its ledger line is committed. */
  readonly deadLetterBeforeCommit: boolean;
  /** A ledger line of dead-lettered rows does not keep a redriven copy of its batch from being stored. */
  readonly deadLetteredLineIsOpen: boolean;
  /** A redriven batch is published past JetStream's duplicate window. */
  readonly redrivePastWindow: boolean;
}

/** The protocol as Footfall keeps it. */
export const PROTOCOL: Rules = {
  answerAfterPublishAck: true,
  syncBeforePublishAck: true,
  syncBeforeDelivery: true,
  syncBeforeSpoolAck: true,
  batchKeepsId: true,
  eventKeys: true,
  ledgerInTransaction: true,
  fencing: true,
  positionFromDatabase: true,
  commitBeforeStreamAck: true,
  deadLetterBeforeCommit: true,
  deadLetteredLineIsOpen: true,
  redrivePastWindow: true,
};
