/** A sheet's items in words: what was found, and what to do. Desks say it in the same words. */
import { useI18n } from 'vue-i18n'
import type { CheckedItem, Figures, FiguresOf, Judgement, PrecheckItem } from '@/api/precheck'
import { BOUND_BPS } from '@/rtc/speed-test'

export function usePrecheckWords() {
  const { t } = useI18n()

  function speed(bps: number | null): string {
    if (bps === null) return t('precheck.unknown')
    if (bps >= BOUND_BPS) return t('precheck.atLeast', { n: BOUND_BPS / 1e6 })
    return t('precheck.megabits', { n: (bps / 1e6).toFixed(1) })
  }

  /** One sentence of an item: its gravest fault and what to do, or what was found. */
  function said(item: PrecheckItem, judgement: Judgement, figures: Figures | null): string {
    const [fault] = judgement.faults
    if (fault) return t(`precheck.fault.${item}.${fault}`)
    if (!figures) return ''
    if (item === 'camera') {
      const { width, height, frames_per_s: fps } = figures as FiguresOf['camera']
      return t('precheck.passed.camera', { width, height, fps: Math.round(fps) })
    }
    if (item === 'network') {
      const { up_bps: up, down_bps: down } = figures as FiguresOf['network']
      return t('precheck.passed.network', { up: speed(up), down: speed(down) })
    }
    return t(`precheck.passed.${item}`)
  }

  /** All faults of an item, the gravest first. */
  function faults({ item, faults: found }: Pick<CheckedItem, 'item' | 'faults'>): string[] {
    return found.map((fault) => t(`precheck.fault.${item}.${fault}`))
  }

  return { speed, said, faults }
}
