import type { casesZhCN } from './cases.zh-CN'

export const casesEn: typeof casesZhCN = {
  cases: {
    overdueBy: '{n} working days overdue',
    overdue: 'Past due',
    today: 'Due today',
    left: '{n} days left',
    dueOn: 'Due {date}',
    minutes: '{n} min',
    hours: '{n} h',
    days: '{n} days',
    people: '{n} people',
    author: '{name}',
    authors: '{name} and others, {n} people',
    promoted: 'Put to the session',
    visibility: { public: 'Public answer', private: 'To the authors only' },
    state: { unassigned: 'To be assigned', assigned: 'In hand', submitted: 'Answer to be approved', answered: 'Answered', closed: 'Closed' },
    rating: { satisfied: 'Satisfied', fairly: 'Fairly satisfied', unsatisfied: 'Not satisfied' },
    ratings: 'Ratings: satisfied {satisfied}, fairly {fairly}, not satisfied {unsatisfied}',
    followUp: 'Further question of the author',
    similar: 'Show {n} similar comments',
    noSimilar: 'The other similar comments are not public.',
    reason: 'Reason',
    until: 'Until which day',
    letters: '{n} / {most}',
  },
}
