export { historyRoutes, type HistoryDeps } from './history.routes.ts'
